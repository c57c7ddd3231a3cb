import { applyStrategicPatch } from '../../../kube/patch/strategic-patch.ts'
import type { Schema } from '../../../kube/schema/schema.ts'
import { isObject, own, setOwn } from '../../../lib/json.ts'
import { type Result, succeed } from '../../../lib/result.ts'
import { parseYaml } from '../../../lib/yaml.ts'
import { fieldsOf } from '../../fields.ts'
import { type Fields, refuse, wrap } from './generator.ts'
import { notYaml } from './renderer.ts'

const text: Schema = { type: 'string' }

/** What strategic merge knows of an Application: only its metadata has lists that merge. */
const applicationSchema: Schema = {
  type: 'object',
  additionalProperties: true,
  properties: new Map<string, Schema>([
    [
      'metadata',
      {
        type: 'object',
        additionalProperties: true,
        properties: new Map<string, Schema>([
          ['finalizers', { type: 'array', items: text, patchStrategy: ['merge'] }],
          [
            'ownerReferences',
            { type: 'array', items: { type: 'object' }, patchStrategy: ['merge'], patchMergeKey: 'uid' },
          ],
        ]),
      },
    ],
  ]),
}

/** An Application with a filled template patch; the project stays what the template says. */
export function applyTemplatePatch(application: Fields, patch: string): Result<Fields> {
  const read = parseYaml(patch)
  const shown = JSON.stringify(patch)
  if (!read.ok) {
    return refuse(`error while converting template to json ${shown}: ${notYaml(read.error[0]?.message ?? '')}`)
  }
  if (read.value === null) return succeed(application)
  if (!isObject(read.value)) {
    return refuse(`invalid templatePatch ${shown}: a patch is an object`)
  }
  const wrong = wrongType(read.value)
  if (wrong !== undefined) return refuse(`invalid templatePatch ${shown}: ${wrong}`)
  const patched = applyStrategicPatch(application, read.value, applicationSchema)
  if (!patched.ok) return wrap(patched, `error while applying templatePatch template to json ${shown}`)
  const result: Record<string, unknown> = { ...patched.value }
  const spec: Record<string, unknown> = { ...fieldsOf(patched.value, 'spec') }
  const project = own(fieldsOf(application, 'spec'), 'project')
  if (project === undefined) delete spec['project']
  else setOwn(spec, 'project', project)
  result['spec'] = spec
  return succeed(result)
}

/** The types of parts that a patch must keep; Go would refuse to decode others. */
const TYPES: readonly (readonly [readonly string[], 'map' | 'list'])[] = [
  [['metadata'], 'map'],
  [['metadata', 'labels'], 'map'],
  [['metadata', 'annotations'], 'map'],
  [['metadata', 'finalizers'], 'list'],
  [['spec'], 'map'],
  [['spec', 'source'], 'map'],
  [['spec', 'source', 'helm'], 'map'],
  [['spec', 'sources'], 'list'],
  [['spec', 'destination'], 'map'],
  [['spec', 'syncPolicy'], 'map'],
  [['spec', 'ignoreDifferences'], 'list'],
]

/** Maps whose values are texts. */
const TEXTS: ReadonlySet<string> = new Set(['labels', 'annotations'])

function wrongType(patch: Fields): string | undefined {
  for (const [path, type] of TYPES) {
    let value: unknown = patch
    for (const part of path) value = isObject(value) ? own(value, part) : undefined
    if (value === undefined || value === null) continue
    const isRight = type === 'map' ? isObject(value) : Array.isArray(value)
    if (!isRight) return `${path.join('.')} must be a ${type}`
    if (!TEXTS.has(path.at(-1) ?? '') || !isObject(value)) continue
    const notText = Object.entries(value).find(([, text]) => text !== null && typeof text !== 'string')
    if (notText) return `${path.join('.')}.${notText[0]} must be a text: quote it`
  }
  return undefined
}
