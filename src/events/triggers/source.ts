import type { KubeObject } from '../../kube/object.ts'
import { textOf } from '../../lib/fields.ts'
import { isObject } from '../../lib/json.ts'
import { explain, fail, type Problem, type Result, succeed } from '../../lib/result.ts'
import { parseYaml } from '../../lib/yaml.ts'
import { readKey, type ReadObjects } from './key-of.ts'
import { invalid } from './template.ts'

/** Reads a text from an address, with bounds; what is not 200 is a problem. */
export type ReadUrl = (url: string, options: { readonly skipVerify: boolean }) => Promise<Result<string>>

/** Where the object of a trigger may come from. */
export interface SourcePorts {
  /** Reads ConfigMaps of the Sensor's namespace, as a volume of the Sensor's Pod would. */
  readonly client: ReadObjects
  readonly readUrl: ReadUrl
}

const forms = ['resource', 'inline', 'configmap', 'url', 'git', 'file', 's3'] as const

/** The one form of a source, or what is wrong with it whatever the event. */
export function sourceForm(source: unknown, at: string): Result<(typeof forms)[number]> {
  if (!isObject(source))
    return fail(invalid(at, 'the trigger has no source: it says no object', 'write source.resource'))
  const named = forms.filter(
    (form) => Object.hasOwn(source, form) && source[form] !== undefined && source[form] !== null,
  )
  const [form] = named
  if (form === undefined || named.length > 1)
    return fail(
      invalid(at, `a source has one of ${forms.slice(0, 4).join(', ')}; this one has ${named.join(' and ') || 'none'}`),
    )
  if (form === 'git' || form === 'file' || form === 's3') {
    const cure = 'write the object as source.resource, or keep it in a ConfigMap (source.configmap)'
    return fail({
      code: 'trigger-unsupported',
      at: `${at}.${form}`,
      message: `sources of the form ${form} are not read`,
      cure,
    })
  }
  return succeed(form)
}

/** The object that a trigger starts from, before parameters. */
export async function readSource(
  source: unknown,
  at: string,
  namespace: string,
  ports: SourcePorts,
): Promise<Result<KubeObject>> {
  const form = sourceForm(source, at)
  if (!form.ok) return form
  const place = `${at}.${form.value}`
  const given = isObject(source) ? source[form.value] : undefined
  if (form.value === 'resource') return objectFrom(given, place)
  if (form.value === 'inline')
    return typeof given === 'string' ? parsed(given, place) : fail(invalid(place, 'inline must be a text'))
  if (!isObject(given)) return fail(invalid(place, `${form.value} must be an object`))
  const text = await (form.value === 'configmap'
    ? readKey('ConfigMap', given, { namespace, client: ports.client })
    : ports.readUrl(textOf(given, 'path'), { skipVerify: given['verifyCert'] === false }))
  if (text.ok) return parsed(text.value, place)
  return fail(...text.error.map((problem): Problem => ({ ...problem, at: place })))
}

function parsed(text: string, at: string): Result<KubeObject> {
  const read = parseYaml(text)
  if (read.ok) return objectFrom(read.value, at)
  return fail(...read.error.map((problem) => invalid(at, `the source is no YAML: ${explain(problem)}`)))
}

function objectFrom(value: unknown, at: string): Result<KubeObject> {
  if (!isObject(value)) return fail(invalid(at, 'the source is no object'))
  const { apiVersion, kind, metadata = {} } = value
  if (typeof apiVersion !== 'string' || typeof kind !== 'string' || apiVersion === '' || kind === '')
    return fail(invalid(at, 'the source has no apiVersion or no kind'))
  if (!isObject(metadata)) return fail(invalid(`${at}.metadata`, 'metadata must be an object'))
  return succeed({ ...value, apiVersion, kind, metadata })
}

/** What came out of parameters, read as an object again. */
export const objectOf = (value: unknown, at: string): Result<KubeObject> => objectFrom(value, at)
