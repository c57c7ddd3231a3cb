import { isObject, own } from '../../../../lib/json.ts'
import type { Result } from '../../../../lib/result.ts'
import { succeed } from '../../../../lib/result.ts'
import { fieldsOf, textOf } from '../../../fields.ts'
import { type Fields, type GeneratorContext, refuse } from '../generator.ts'

/** The providers that we ask, in the order in which upstream looks for them. */
const served = ['github', 'gitlab', 'gitea'] as const
export type ProviderName = (typeof served)[number]

/** Those that upstream knows beside them. */
const unserved = ['bitbucketServer', 'bitbucket', 'azureDevOps', 'azuredevops', 'awsCodeCommit']

/** The provider that a generator names, once the installation allows it. */
export function providerOf(
  spec: Fields,
  { settings }: GeneratorContext,
  kind: 'SCM' | 'Pull Request',
): Result<{ readonly name: ProviderName; readonly spec: Fields }> {
  const failure = kind === 'SCM' ? '' : 'failed to select pull request service provider: '
  if (!settings.scmEnabled) return refuse(`${failure}scm providers are disabled`)
  const name = [...served, ...unserved].find((each) => isObject(own(spec, each)))
  const api = name === undefined ? '' : textOf(fieldsOf(spec, name), 'api')
  if (api !== '' && settings.scmAllowed.length > 0 && !settings.scmAllowed.includes(api)) {
    return refuse(
      `${failure}scm provider not allowed: scm provider ${JSON.stringify(api)} not allowed, must use one of the following: ${settings.scmAllowed.join(', ')}`,
    )
  }
  const known = served.find((each) => each === name)
  if (known) return succeed({ name: known, spec: fieldsOf(spec, known) })
  if (name !== undefined) {
    return refuse(
      `${failure}the provider ${name} is not served here: use github, gitlab or gitea, or the plugin generator`,
    )
  }
  return refuse(`${failure}no ${kind} provider implementation configured`)
}
