import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Case, Outcome, Pack, Suite, Tools } from '../suite.ts'

/** A case: a folder with a `kyverno-test.yaml`, and how many checks each of its results comes to. */
interface PolicyCase extends Case {
  readonly dir: string
  readonly needs: readonly string[]
  /** The test must be reported as failed. */
  readonly negative: boolean
  readonly results: readonly { readonly checks: number }[]
}

interface Row {
  readonly POLICY: string
  readonly RULE: string
  readonly RESOURCE: string
  readonly RESULT: 'Pass' | 'Fail' | 'Skip'
  readonly REASON: string
  readonly MESSAGE?: string
  readonly TEST: string
  readonly EXPECTATION: number
}

function unpack(pack: Pack, root: string): void {
  for (const [path, text] of Object.entries(pack.files ?? {})) {
    const target = join(root, path)
    mkdirSync(dirname(target), { recursive: true })
    writeFileSync(target, text.startsWith('base64:') ? Buffer.from(text.slice('base64:'.length), 'base64') : text)
  }
}

/** All folders are tested by one process; a folder's own file is told from those of folders below by its path. */
async function run(pack: Pack | undefined, tools: Tools): Promise<readonly Outcome[]> {
  if (!pack) throw new Error('the suite runs on a pack')
  const cases = pack.cases as readonly PolicyCase[]
  const root = tools.scratch()
  unpack(pack, root)
  const folders = [...new Set(cases.map(({ dir }) => join(root, dir)))]
  // A folder is tested with those below it: only the outermost ones are named.
  const outermost = folders.filter(
    (folder) => !folders.some((other) => other !== folder && folder.startsWith(`${other}/`)),
  )
  const { stdout, stderr } = await tools.idp(['policy', 'test', ...outermost, '-o', 'json'])
  let rows: readonly Row[]
  try {
    rows = JSON.parse(stdout) as readonly Row[]
  } catch (cause) {
    throw new Error(`idp policy test printed no JSON: ${stderr || stdout.slice(0, 200)}`, { cause })
  }
  const byTest = new Map<string, Row[]>()
  for (const row of rows) byTest.set(row.TEST, [...(byTest.get(row.TEST) ?? []), row])
  return cases.map((one) => judge(one, byTest.get(testOf(one, root)) ?? []))
}

/** `dir#1` is the second test in the file of a folder. */
function testOf({ id, dir }: PolicyCase, root: string): string {
  const [, document] = /#(\d+)$/.exec(id) ?? []
  return `${join(root, dir, 'kyverno-test.yaml')}${document === undefined ? '' : `#${document}`}`
}

function judge(one: PolicyCase, rows: readonly Row[]): Outcome {
  const { id } = one
  const failed = rows.find(({ RESULT }) => RESULT === 'Fail')
  if (one.negative)
    return failed ? { id, verdict: 'passed' } : { id, verdict: 'wrong', because: 'the test should fail' }
  const silent = one.results.findIndex((_, index) => !rows.some(({ EXPECTATION }) => EXPECTATION === index))
  if (!failed && silent < 0) return { id, verdict: 'passed' }
  const because = failed
    ? `${failed.POLICY}/${failed.RULE} on ${failed.RESOURCE}: ${failed.REASON}: ${failed.MESSAGE ?? ''}`.slice(0, 600)
    : `result ${silent} was not checked`
  if (one.needs.length > 0) return { id, verdict: 'excused', because: `needs ${one.needs.join(', ')}; ${because}` }
  return { id, verdict: 'wrong', because }
}

export const kyvernoCli: Suite = { name: 'kyverno-cli', from: 'pack', run }
export const kyvernoPoliciesCli: Suite = { name: 'kyverno-policies-cli', from: 'pack', run }
