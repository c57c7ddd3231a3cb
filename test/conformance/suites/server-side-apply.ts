import { load } from 'js-yaml'
import { isEqual } from '../../../src/lib/json.ts'
import type { Case, EvalAnswer, Outcome, Pack, Suite, Tools } from '../suite.ts'

/** Chains of applies and updates on one object: the object, who owns what, and the conflicts. */
export const serverSideApply: Suite = { name: 'server-side-apply', from: 'pack', run }

interface ApplyCase extends Case {
  readonly schema: string
  readonly root: string | null
  readonly ops: readonly Op[]
  readonly expectError: boolean
  readonly object?: string | null
  readonly managed?: Readonly<Record<string, Managed>> | null
  readonly ignoredFields?: unknown
  readonly apiVersion?: string | null
}

interface Op {
  readonly op: string
  readonly manager: string
  readonly apiVersion: string
  readonly object: string
  readonly conflicts?: Readonly<Record<string, { readonly Manager: string; readonly Path: readonly unknown[] }>>
}

interface Managed {
  readonly apiVersion: string
  readonly fields: readonly unknown[]
}

interface End {
  readonly object: unknown
  readonly managed: Readonly<Record<string, Managed>>
  readonly conflicts: readonly (readonly { readonly manager: string; readonly path: unknown }[])[]
}

async function run(pack: Pack | undefined, tools: Tools): Promise<readonly Outcome[]> {
  const cases = (pack?.cases ?? []) as readonly ApplyCase[]
  const requests = cases.map((one) => ({
    schema: one.schema,
    root: one.root,
    ignored: one.ignoredFields,
    names: namesOf(one),
    apiVersion: one.apiVersion,
    ops: one.ops.map(({ op, manager, apiVersion, object }) => ({
      op,
      manager,
      apiVersion,
      object: documentOf(object),
    })),
  }))
  const answers = await tools.evalAll('apply', requests)
  return cases.map((one, index) => {
    const because = differenceOf(one, answers[index] as EvalAnswer)
    return because === undefined ? { id: one.id, verdict: 'passed' } : { id: one.id, verdict: 'wrong', because }
  })
}

/**
 * The tables of real conversions bring their own converters, as code: in version N of `RealConversion` a key is its letter
 * N times; elsewhere a field whose name ends in a version ends in the version it is converted to.
 */
function namesOf({ id, schema, ops }: ApplyCase): unknown {
  const versions = Array.from({ length: 9 }, (_, index) => `v${index + 1}`)
  if (id.includes('RealConversion')) {
    return Object.fromEntries(
      versions.map((version, index) => [
        version,
        Object.fromEntries(
          Array.from('abcdefghijklmnopqrstuvwxyz').map((letter) => [letter, letter.repeat(index + 1)]),
        ),
      ]),
    )
  }
  const texts = [schema, ...ops.map((op) => op.object)].join('\n')
  const stems = new Set([...texts.matchAll(/([A-Za-z]\w*?)v[1-9]\b/g)].map((found) => found[1] ?? ''))
  if (!/Field(Renaming|Unsetting)/.test(id)) return undefined
  return Object.fromEntries(
    versions.map((version) => [version, Object.fromEntries([...stems].map((stem) => [stem, `${stem}${version}`]))]),
  )
}

/** Upstream indents its texts with tabs, which YAML forbids at the start of lines. */
function documentOf(text: string): unknown {
  return load(text.replaceAll('\t', '    ')) ?? null
}

function differenceOf(one: ApplyCase, answer: EvalAnswer): string | undefined {
  if (!answer.ok) return one.expectError ? undefined : `refused: ${answer.error.message}`
  const end = answer.value as End
  const conflict = conflictDifference(one, end)
  if (one.expectError) return conflict === undefined ? 'wanted an error, got none' : undefined
  if (conflict !== undefined) return conflict
  if (one.object) {
    const wanted = documentOf(one.object)
    if (!isEqual(wanted, end.object)) return `wanted ${JSON.stringify(wanted)}, got ${JSON.stringify(end.object)}`
  }
  return one.managed ? managedDifference(one.managed, end.managed) : undefined
}

/** A step must conflict exactly where the case says so, and not at all where it says nothing. */
function conflictDifference({ ops }: ApplyCase, { conflicts }: End): string | undefined {
  for (const [index, op] of ops.entries()) {
    const wanted = Object.values(op.conflicts ?? {}).map(({ Manager, Path }) => canonical([Manager, Path]))
    const got = (conflicts[index] ?? []).map(({ manager, path }) => canonical([manager, path]))
    if (!isEqual(wanted.toSorted(), got.toSorted()))
      return `step ${index}: wanted conflicts ${wanted.join()}, got ${got.join()}`
  }
  return undefined
}

function managedDifference(
  wanted: Readonly<Record<string, Managed>>,
  got: Readonly<Record<string, Managed>>,
): string | undefined {
  for (const manager of new Set([...Object.keys(wanted), ...Object.keys(got)])) {
    const [left, right] = [wanted[manager], got[manager]].map((managed) => ({
      apiVersion: managed?.apiVersion,
      fields: (managed?.fields ?? []).map(canonical).toSorted(),
    }))
    if (left?.fields.length === 0 && right?.fields.length === 0) continue
    if (!isEqual(left, right)) return `${manager}: wanted ${JSON.stringify(left)}, got ${JSON.stringify(right)}`
  }
  return undefined
}

/** One text for equal values, whatever the order of their keys. */
function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  const entries = Object.entries(value).map(([key, below]) => `${JSON.stringify(key)}:${canonical(below)}`)
  return `{${entries.toSorted().join(',')}}`
}
