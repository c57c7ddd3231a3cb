import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Case, EvalAnswer, Outcome, Pack, Suite, Tools } from '../suite.ts'

/** Builds of kustomizations: the bytes that are printed, or a refusal. */
export const kustomize: Suite = { name: 'kustomize', from: 'pack', run }

/** How many cases also go through `idp render kustomize`. */
const WHOLE = 6

async function run(pack: Pack | undefined, tools: Tools): Promise<readonly Outcome[]> {
  if (!pack) return []
  const requests = pack.cases.map((row) => ({
    files: { ...pack.files, ...filesOf(row) },
    path: row['path'],
    flags: row['flags'],
  }))
  const answers = await tools.evalAll('kustomize', requests)
  const outcomes: Outcome[] = []
  for (const [index, row] of pack.cases.entries()) {
    const because =
      differenceOf(row, answers[index] as EvalAnswer) ??
      (index < WHOLE ? await differenceOfWhole(row, pack, tools) : undefined)
    outcomes.push(because === undefined ? { id: row.id, verdict: 'passed' } : { id: row.id, verdict: 'wrong', because })
  }
  return outcomes
}

const filesOf = (row: Case): Readonly<Record<string, string>> =>
  (row['files'] ?? {}) as Readonly<Record<string, string>>

function differenceOf(row: Case, answer: EvalAnswer): string | undefined {
  const wanted = row['expected']
  if (row['expect'] === 'error') return answer.ok ? 'wanted a refusal, got manifests' : undefined
  if (!answer.ok) return `wanted manifests, got ${answer.error.code}: ${answer.error.message}`
  const { yaml } = answer.value as { readonly yaml: string }
  return yaml === wanted ? undefined : firstDifference(String(wanted), yaml)
}

function firstDifference(wanted: string, got: string): string {
  const left = wanted.split('\n')
  const right = got.split('\n')
  const at = left.findIndex((line, index) => line !== right[index])
  const line = at < 0 ? left.length : at
  return `line ${line + 1}: wanted ${JSON.stringify(left[line] ?? '')}, got ${JSON.stringify(right[line] ?? '')}`
}

/** The same through the command line and the disk. */
async function differenceOfWhole(row: Case, pack: Pack, tools: Tools): Promise<string | undefined> {
  const folder = tools.scratch()
  for (const [name, text] of Object.entries({ ...pack.files, ...filesOf(row) })) {
    const path = join(folder, name)
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, text.startsWith('base64:') ? Buffer.from(text.slice(7), 'base64') : text)
  }
  const flags = Array.isArray(row['flags']) ? row['flags'].map(String) : []
  const { code, stdout, stderr } = await tools.idp(['render', 'kustomize', join(folder, String(row['path'])), ...flags])
  if (row['expect'] === 'error') {
    return code === 1 && stderr.startsWith('Error: ')
      ? undefined
      : `the command ended with ${code}: ${stderr.slice(0, 200)}`
  }
  if (code !== 0) return `the command ended with ${code}: ${stderr.slice(0, 200)}`
  return stdout === row['expected'] ? undefined : `the command: ${firstDifference(String(row['expected']), stdout)}`
}
