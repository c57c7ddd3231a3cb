import { load } from 'js-yaml'
import { isEqual } from '../../../src/lib/json.ts'
import type { Case, EvalAnswer, Outcome, Pack, Suite, Tools } from '../suite.ts'

/** Rows of the strategic and JSON merge patch tables: creating patches, and applying them. */
export const patches: Suite = { name: 'patches', from: 'pack', run }

type Row = Readonly<Record<string, unknown>>

/** One question to `idp eval`, and what the answer must be. */
interface Question {
  readonly op: string
  readonly request: Row
  readonly want:
    | { readonly value: unknown }
    /** Words that the message must contain. */
    | { readonly message: string }
    | { readonly code: string }
  readonly what: string
}

interface Asked {
  readonly id: string
  readonly questions: readonly Question[]
  readonly excuse?: string
}

async function run(pack: Pack | undefined, tools: Tools): Promise<readonly Outcome[]> {
  if (!pack) return []
  const asked = pack.cases.map((row) => ask(row, pack))
  const answers = new Map<Question, EvalAnswer>()
  for (const op of ['merge-patch', 'strategic-patch']) {
    const questions = asked.flatMap((row) => row.questions).filter((question) => question.op === op)
    const replies = await tools.evalAll(
      op,
      questions.map((question) => question.request),
    )
    for (const [index, question] of questions.entries()) answers.set(question, replies[index] as EvalAnswer)
  }
  return asked.map((row) => judge(row, answers))
}

function judge({ id, questions, excuse }: Asked, answers: ReadonlyMap<Question, EvalAnswer>): Outcome {
  if (excuse !== undefined) return { id, verdict: 'excused', because: excuse }
  if (questions.length === 0) return { id, verdict: 'unsupported', because: 'the runner cannot read this row' }
  for (const question of questions) {
    const difference = differenceOf(question, answers.get(question) as EvalAnswer)
    if (difference !== undefined) return { id, verdict: 'wrong', because: `${question.what}: ${difference}` }
  }
  return { id, verdict: 'passed' }
}

function differenceOf({ want }: Question, got: EvalAnswer): string | undefined {
  if ('value' in want) {
    if (got.ok && isEqual(got.value, want.value)) return undefined
    return `wanted ${JSON.stringify(want.value)}, got ${JSON.stringify(got.ok ? got.value : got.error)}`
  }
  if (got.ok) return `wanted a refusal (${JSON.stringify(want)}), got ${JSON.stringify(got.value)}`
  if ('code' in want) return got.error.code === want.code ? undefined : `wanted ${want.code}, got ${got.error.message}`
  return got.error.message.includes(want.message) ? undefined : `wanted ${want.message}, got ${got.error.message}`
}

function ask(row: Case, pack: Pack): Asked {
  const table = row.id.replace(/\/.*/, '')
  const data = row['row'] as Row
  if (row['literal'] === false) return askTable(row.id, table, data, pack)
  return { id: row.id, questions: questionsOf(table, data, { openapi: swaggerOf(pack), root: 'mergeItem' }) }
}

function swaggerOf(pack: Pack): unknown {
  // The upstream file has a trailing comma, which JSON forbids and YAML allows.
  return load(pack.files?.['swagger-merge-item.json'] ?? '{}')
}

/** A row that names a notation of the test type: the whole table must hold when the type is read from it. */
function askTable(id: string, table: string, data: Row, pack: Pack): Asked {
  if ('t' in data) return { id, questions: [], excuse: 'the row stands for a Go struct, which is not part of the data' }
  const swagger = swaggerOf(pack)
  const schema = { openapi: 'schemaList' in data ? inVersion3(swagger) : swagger, root: 'mergeItem' }
  const rows = pack.cases.filter((row) => row['literal'] !== false && row.id.startsWith(`${table}/`))
  return { id, questions: rows.flatMap((row) => questionsOf(table, row['row'] as Row, schema)) }
}

/** The same types as an OpenAPI 3 document writes them: other references, and always inside of allOf. */
function inVersion3(swagger: unknown): unknown {
  const convert = (node: unknown): unknown => {
    if (Array.isArray(node)) return node.map(convert)
    if (typeof node !== 'object' || node === null) return node
    const entries = Object.entries(node).map(([name, below]): [string, unknown] =>
      name === '$ref'
        ? ['allOf', [{ $ref: String(below).replace('#/definitions/', '#/components/schemas/') }]]
        : [name, convert(below)],
    )
    return Object.fromEntries(entries)
  }
  const { definitions } = swagger as { readonly definitions: unknown }
  return { openapi: '3.0.0', components: { schemas: convert(definitions) } }
}

function questionsOf(table: string, row: Row, schema: Row): readonly Question[] {
  switch (table) {
    case 'TestKeepOrDeleteNullInObj':
      return [
        question('merge-patch', 'removals', { patch: row['originalObj'] ?? {} }, { value: row['expectedWithNull'] }),
        question(
          'merge-patch',
          'additions',
          { patch: row['originalObj'] ?? {} },
          { value: row['expectedWithoutNull'] },
        ),
      ]
    case 'TestCreateThreeWayJSONMergePatch':
      return threeWayJson(row)
    case 'TestCustomStrategicMergePatch':
      return applied(documentsOf(row), schema)
    default:
      return !('twoWay' in documentsOf(row))
        ? []
        : [...twoWay(documentsOf(row), schema), ...threeWay(documentsOf(row), schema, String(row['description']))]
  }
}

const question = (op: string, action: string, request: Row, want: Question['want']): Question => ({
  op,
  request: { do: action, ...request },
  want,
  what: action,
})

/** Rows hold documents as data, or as YAML texts one level down. */
function documentsOf(row: Row): Row {
  const raw = row['strategicMergePatchRawTestCaseData']
  if (raw === undefined) return row
  const parsed = Object.entries(raw as Readonly<Record<string, string>>).map(([name, text]) => [
    name,
    name === 'expectedError' ? text : (load(text) ?? {}),
  ])
  return Object.fromEntries(parsed) as Row
}

function threeWayJson({ original, modified, current, threeWay: patch, result }: Row): readonly Question[] {
  return [
    question('merge-patch', 'create-three-way', { original, modified, current }, { value: patch }),
    question('merge-patch', 'apply', { document: current ?? {}, patch }, { value: result }),
  ]
}

function applied({ original, twoWay: patch, modified, expectedError }: Row, schema: Row): readonly Question[] {
  const want = expectedError === undefined ? { value: modified } : { message: expectedError as string }
  return [question('strategic-patch', 'apply', { schema, document: original ?? {}, patch }, want)]
}

function twoWay({ original, modified, twoWay: patch, twoWayResult, expectedError }: Row, schema: Row): Question[] {
  if (expectedError !== undefined) {
    const want = { message: expectedError as string }
    return [question('strategic-patch', 'apply', { schema, document: original ?? {}, patch }, want)]
  }
  return [
    question('strategic-patch', 'create', { schema, original, modified }, { value: patch }),
    question(
      'strategic-patch',
      'apply',
      { schema, document: original ?? {}, patch },
      { value: twoWayResult ?? modified },
    ),
  ]
}

/** A row whose description speaks of a conflict must conflict, unless it may overwrite. */
function threeWay(
  { original, modified, current, threeWay: patch, result }: Row,
  schema: Row,
  about: string,
): Question[] {
  if (patch === undefined) return []
  const documents = { schema, original, modified, current }
  const isConflict = about.includes('conflict')
  return [
    ...(isConflict ? [question('strategic-patch', 'create-three-way', documents, { code: 'patch-conflict' })] : []),
    question('strategic-patch', 'create-three-way', { ...documents, overwrite: isConflict }, { value: patch }),
    question('strategic-patch', 'apply', { schema, document: current ?? {}, patch }, { value: result }),
  ]
}
