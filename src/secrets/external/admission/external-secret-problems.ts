import { templateProblem } from '../external-secret/render-target.ts'
import type { DataFromItem, ExternalSecretSpec } from '../spec/external-secret.ts'

/** Why an ExternalSecret is refused at admission. */
export function externalSecretProblems(spec: ExternalSecretSpec): readonly string[] {
  const { target, data, dataFrom } = spec
  const { creationPolicy, deletionPolicy, template, manifest } = target
  const isSecret = !manifest || (manifest.apiVersion === 'v1' && manifest.kind === 'Secret')
  const seen = new Set<string>()
  const twice = data.flatMap(({ secretKey }) => {
    const isKnown = seen.has(secretKey)
    seen.add(secretKey)
    return isKnown ? [`duplicate secretKey found: ${secretKey}`] : []
  })
  const badTemplate = template && isSecret ? templateProblem(template) : undefined
  return [
    ...(deletionPolicy === 'Delete' && ['Merge', 'None', 'CreateOrMerge'].includes(creationPolicy)
      ? [
          "deletionPolicy=Delete must not be used when the controller doesn't own the secret. Please set creationPolicy=Owner",
        ]
      : []),
    ...(deletionPolicy === 'Merge' && creationPolicy === 'None'
      ? ['deletionPolicy=Merge must not be used with creationPolicy=None. There is no Secret to merge with']
      : []),
    ...(data.length === 0 && dataFrom.length === 0 ? ['either data or dataFrom should be specified'] : []),
    ...(badTemplate === undefined ? [] : [badTemplate]),
    ...dataFrom.flatMap(sourceProblems),
    ...(deletionPolicy === 'Retain' ? twice : []),
  ]
}

function sourceProblems({ find, extract, generator, store, hasSource }: DataFromItem): readonly string[] {
  const chosen = [find, extract, generator].filter((one) => one !== undefined).length
  return [
    ...(chosen > 1 ? ['extract, find, or generatorRef cannot be set at the same time'] : []),
    ...(!find && !extract && !hasSource ? ['either extract, find, or sourceRef must be set to dataFrom'] : []),
    ...(hasSource && !generator && !store
      ? ['generatorRef or storeRef must be set when using sourceRef in dataFrom']
      : []),
  ]
}

/** What an ExternalSecret asks for that is not supported. */
export const externalSecretWarnings = ({ target }: ExternalSecretSpec): readonly string[] =>
  target.manifest ? [`target.manifest ${target.manifest.kind} is not supported; only Secrets are written`] : []
