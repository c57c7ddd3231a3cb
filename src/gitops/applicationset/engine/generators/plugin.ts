import { isObject } from '../../../../lib/json.ts'
import { succeed } from '../../../../lib/result.ts'
import { fieldsOf, objectsOf, textOf } from '../../../fields.ts'
import { type Generator, refuse, withValues, wrap } from '../generator.ts'
import { flatten, goText, type Params, paramsFrom, withParams } from '../params.ts'

/** Asks a service for parameters: `POST baseUrl/api/v1/getparams.execute`. */
export const plugin: Generator = (spec, context) => {
  const configMap = textOf(fieldsOf(spec, 'configMapRef'), 'name')
  const settings = context.lookup.ask({ need: 'config-map', name: configMap })
  if (!settings) return undefined
  const reaching = 'error getting plugin from generator: error fetching'
  if (!settings.ok) return wrap(settings, `${reaching} ConfigMap`)
  for (const key of ['baseUrl', 'token']) {
    if (textOf(settings.value, key) === '') return refuse(`${reaching} ConfigMap: ${key} not found in ConfigMap`)
  }
  const token = textOf(settings.value, 'token')
  if (!token.startsWith('$')) {
    return refuse(`${reaching} Secret token: token is empty, or does not reference a secret key starting with '$'`)
  }
  const secret = context.lookup.ask({ need: 'secret', name: pluginToken(token).secret })
  if (!secret?.ok) return secret && wrap(secret, 'error getting plugin from generator: error fetching Secret token')
  const input = fieldsOf(fieldsOf(spec, 'input'), 'parameters')
  const answer = context.lookup.ask({
    need: 'plugin',
    configMap,
    applicationSet: context.applicationSet,
    parameters: input,
  })
  if (!answer?.ok) return answer && wrap(answer, 'error listing params')
  const found = objectsOf(fieldsOf(answer.value, 'output'), 'parameters') ?? []
  const made: Params[] = []
  for (const object of found) {
    const ofObject = context.dialect.goTemplate
      ? object
      : paramsFrom([...flatten(object)].map(([key, value]) => [key, goText(value)] as const))
    const all = withParams(ofObject, { generator: { input: { parameters: input } } })
    const params = withValues(all, spec, context)
    if (!params.ok) return wrap(params, 'error generating params')
    made.push(params.value)
  }
  return succeed(made)
}

/** Which key of which Secret `$name:key` or `$key` means; `$key` alone is one of argocd-secret. */
export function pluginToken(reference: string): { readonly secret: string; readonly key: string } {
  const colon = reference.indexOf(':')
  if (colon < 0) return { secret: 'argocd-secret', key: reference.slice(1) }
  return { secret: reference.slice(1, colon), key: reference.slice(colon + 1).split(':')[0] ?? '' }
}

/** Whether an answer of a plugin has the shape that is asked for. */
export const isPluginAnswer = (value: unknown): boolean =>
  isObject(value) && isObject(value['output']) && Array.isArray(value['output']['parameters'])
