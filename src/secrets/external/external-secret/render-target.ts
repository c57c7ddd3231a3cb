import { succeed } from '../../../lib/result.ts'
import { decodeValue, type SecretData } from '../data/decode.ts'
import { failed, type Fetched, within } from '../data/trouble.ts'
import type { SecretTemplate, TemplateFrom } from '../spec/secret-template.ts'
import type { TemplateEngine } from '../template/template-engine.ts'
import type { Rendered } from './target-secret.ts'

/** The values of a ConfigMap or a Secret that templates are in; undefined where it is not there. */
export type ReadSource = (kind: 'ConfigMap' | 'Secret', name: string) => SecretData | undefined

const NOTHING: Rendered = { data: new Map(), labels: new Map(), annotations: new Map() }

/** What the template of an ExternalSecret makes of its data: templates from elsewhere first, its own over them. */
export function renderTarget(
  template: SecretTemplate | undefined,
  data: SecretData,
  engine: TemplateEngine,
  source: ReadSource,
): Fetched<Rendered> {
  if (!template) return succeed(NOTHING)
  const problem = templateProblem(template)
  if (problem !== undefined) return failed(problem)
  const into = {
    data: new Map<string, string>(),
    labels: new Map<string, string>(),
    annotations: new Map<string, string>(),
  }
  for (const from of template.templateFrom) {
    const made = renderFrom(from, data, engine, source)
    if (!made.ok) return within('error fetching templateFrom data', made.error)
    const target = targetOf(from.target)
    for (const [key, value] of made.value) into[target].set(key, value)
  }
  for (const target of ['data', 'labels', 'annotations'] as const) {
    for (const [key, text] of template[target]) {
      const made = engine.render(key, text, data)
      if (!made.ok) return within('could not execute template', made.error)
      into[target].set(key, made.value)
    }
  }
  return succeed(into)
}

function targetOf(target: string): 'data' | 'labels' | 'annotations' {
  const name = target.toLowerCase()
  return name === 'labels' || name === 'annotations' ? name : 'data'
}

const TOKEN_TYPE = 'kubernetes.io/service-account-token'
const ACCOUNT_ANNOTATION = 'kubernetes.io/service-account.name'
const BOOTSTRAP_TYPE = 'bootstrap.kubernetes.io/token'

/** Why a template must not be used: it would make credentials of the cluster, or write where no template should. */
export function templateProblem(template: SecretTemplate): string | undefined {
  const { type, templateFrom, annotations, engineVersion } = template
  if (engineVersion !== 'v2') return `template engine ${JSON.stringify(engineVersion)} is not supported; use v2`
  if (type === BOOTSTRAP_TYPE) return `template.type=${JSON.stringify(type)} is not allowed`
  if (type === TOKEN_TYPE && annotations.has(ACCOUNT_ANNOTATION)) {
    return `template.type=${JSON.stringify(type)} with annotation ${JSON.stringify(ACCOUNT_ANNOTATION)} is not allowed`
  }
  if (type === TOKEN_TYPE && templateFrom.some(({ target }) => targetOf(target) === 'annotations')) {
    return `template.type=${JSON.stringify(type)} with templateFrom target="Annotations" is not allowed`
  }
  const strange = templateFrom.find(({ target }) => !['data', 'labels', 'annotations'].includes(target.toLowerCase()))
  if (!strange) return undefined
  return `templateFrom target=${JSON.stringify(strange.target)} is not allowed when targeting a Secret, must be one of "Data", "Annotations" or "Labels"`
}

function renderFrom(
  from: TemplateFrom,
  data: SecretData,
  engine: TemplateEngine,
  source: ReadSource,
): Fetched<SecretData> {
  const { valuesDecodingStrategy: decoding } = from
  if (from.source.kind === 'literal') return engine.renderMap(from.source.text, data, decoding)
  const { kind, name, items } = from.source
  const texts = source(kind, name)
  if (!texts) return failed(`${kind} ${JSON.stringify(name)} not found`)
  const made = new Map<string, string>()
  for (const { key, templateAs } of items) {
    const text = texts.get(key)
    if (text === undefined) return failed(`error in ${kind.toLowerCase()} ${name}: missing key ${key}`)
    if (templateAs === 'KeysAndValues') {
      const several = engine.renderMap(text, data, decoding)
      if (!several.ok) return several
      for (const [each, value] of several.value) made.set(each, value)
      continue
    }
    const one = engine.render(key, text, data)
    const decoded = one.ok ? decodeValue(decoding, one.value) : one
    if (!decoded.ok) return decoded
    made.set(key, decoded.value)
  }
  return succeed(made)
}
