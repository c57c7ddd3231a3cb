import type { JsonValue } from '@bufbuild/protobuf'
import { ExprSchema } from '@bufbuild/cel-spec/cel/expr/syntax_pb.js'
import { CheckedExprSchema } from '@bufbuild/cel-spec/cel/expr/checked_pb.js'
import {
  getCheckingSuite,
  getComprehensionSuite,
  getConformanceSuite,
  getParsingSuite,
  type IncrementalTestSuite,
} from '@bufbuild/cel-spec/testdata/tests.js'
import { KindAdorner, SemanticAdorner, toDebugString } from '@bufbuild/cel-spec/testdata/to-debug-string.js'
import { fromJson } from '@bufbuild/protobuf'
import { parseType } from '../../../src/lang/cel/library/signature.ts'
import {
  bindingsOf,
  casesOf,
  type CorpusCase,
  declarationsOf,
  needsMessages,
  registry,
  typeText,
} from '../cel/corpus.ts'
import { runOnLibrary, sameValue } from '../cel/library.ts'
import type { EvalAnswer, Outcome, Suite, Tools } from '../suite.ts'

/** What the corpus expects to be there: all the language's own extensions, and nothing of Kubernetes. */
const corpusLibraries: readonly string[] = [
  'bindings',
  'block',
  'comprehensions',
  'encoders',
  'lists',
  'math',
  'mixed-comparisons',
  'optional',
  'protos',
  'sets',
  'strings',
]

const passed = (id: string): Outcome => ({ id, verdict: 'passed' })
const wrong = (id: string, because: string): Outcome => ({ id, verdict: 'wrong', because: because.slice(0, 400) })

/** Answers each case through `idp eval cel`, or on the library where messages are needed. */
async function answers(
  cases: readonly CorpusCase[],
  tools: Tools,
  request: (item: CorpusCase) => object,
  local: (item: CorpusCase) => EvalAnswer,
): Promise<readonly EvalAnswer[]> {
  const remote = cases.filter(({ test }) => !needsMessages(test))
  const through = await tools.evalAll('cel', remote.map(request))
  const byCase = new Map(remote.map((item, index) => [item, through[index]] as const))
  return cases.map((item) => {
    try {
      return byCase.get(item) ?? local(item)
    } catch (cause) {
      return {
        ok: false,
        error: { code: 'threw', at: '', message: cause instanceof Error ? String(cause.stack) : String(cause) },
      }
    }
  })
}

async function evaluateAll(suite: IncrementalTestSuite, tools: Tools): Promise<readonly Outcome[]> {
  const cases = casesOf(suite)
  const found = await answers(
    cases,
    tools,
    ({ test }) => ({
      expression: test.original.expr,
      container: test.original.container,
      bindings: bindingsOf(test),
      ...declarationsOf(test),
      libraries: corpusLibraries,
      unchecked: test.original.disableCheck,
      mode: test.original.checkOnly ? 'check' : 'evaluate',
      exact: true,
    }),
    ({ test }) =>
      runOnLibrary(test, { libraries: corpusLibraries, mode: test.original.checkOnly ? 'check' : 'evaluate' }),
  )
  return cases.map((item, index) => excused(judge(item, found[index])))
}

/** Where the corpus and cel-go part, we go with cel-go, because that is what runs in Kubernetes (docs/conformance.md). */
const excuses: readonly (readonly [RegExp, string])[] = [
  [/^enums\/strong_proto[23]\//, 'enums are ints, as in cel-go'],
  [/^timestamps\/duration_converters\/get_milliseconds$/, 'milliseconds of the whole duration, as in cel-go'],
  [/^string_ext\/value_errors\/(?:last)?indexof_out_of_range$/, 'an offset beyond the end finds nothing, as in cel-go'],
]

const excused = (outcome: Outcome): Outcome => {
  const because = outcome.verdict === 'wrong' ? excuses.find(([pattern]) => pattern.test(outcome.id))?.[1] : undefined
  return because === undefined ? outcome : { id: outcome.id, verdict: 'excused', because }
}

function judge({ id, test }: CorpusCase, answer: EvalAnswer | undefined): Outcome {
  const { resultMatcher, checkOnly } = test.original
  if (!answer) return wrong(id, 'no answer')
  if (resultMatcher.case === 'evalError' || resultMatcher.case === 'anyEvalErrors') {
    return !answer.ok && answer.error.code === 'cel-evaluation-failed'
      ? passed(id)
      : wrong(
          id,
          answer.ok
            ? `wanted an error, got ${JSON.stringify(answer.value)}`
            : `wanted a failed evaluation: ${answer.error.message}`,
        )
  }
  if (!answer.ok) return wrong(id, `${answer.error.code}: ${answer.error.message}`)
  const value = answer.value as { readonly exprValue: JsonValue; readonly type?: string; readonly staticType?: string }
  if (resultMatcher.case === 'typedResult') {
    const wanted = parseType(typeText(resultMatcher.value.deducedType)).text
    const type = value.staticType ?? value.type
    if (type !== wanted) return wrong(id, `wanted the type ${wanted}, got ${type}`)
    if (checkOnly || !resultMatcher.value.result) return passed(id)
    return sameValue(value.exprValue, resultMatcher.value.result)
      ? passed(id)
      : wrong(id, `got ${JSON.stringify(value.exprValue)}`)
  }
  if (resultMatcher.case === 'value') {
    return sameValue(value.exprValue, resultMatcher.value)
      ? passed(id)
      : wrong(id, `got ${JSON.stringify(value.exprValue)}`)
  }
  const { exprValue } = value as { readonly exprValue: { readonly boolValue?: boolean } }
  return exprValue.boolValue === true ? passed(id) : wrong(id, `wanted true, got ${JSON.stringify(exprValue)}`)
}

/** What the tests of the parser switch off, as their messages say. */
function parserOptions(error: string | undefined): object {
  const limit = /recursion limit exceeded: (\d+)|max recursion depth exceeded/.exec(error ?? '')
  return {
    ...(/unsupported syntax '\.\?'|unsupported syntax '\?'|unsupported syntax '\[\?'/.test(error ?? '')
      ? { optionals: false }
      : {}),
    ...(/unsupported syntax: '`'/.test(error ?? '') ? { quotedFields: false } : {}),
    ...(limit ? { maxDepth: 32 } : {}),
  }
}

async function parseAll(tools: Tools): Promise<readonly Outcome[]> {
  const cases = casesOf(getParsingSuite())
  const found = await tools.evalAll(
    'cel',
    cases.map(({ test }) => ({
      expression: test.original.expr,
      mode: 'parse',
      libraries: ['optional'],
      syntax: parserOptions(test.ast === undefined ? test.error : undefined),
    })),
  )
  return cases.map(({ id, test }, index) => {
    const answer = found[index]
    if (test.ast === undefined) {
      return answer?.ok === false && answer.error.code === 'cel-syntax' ? passed(id) : wrong(id, `wanted ${test.error}`)
    }
    if (!answer?.ok) return wrong(id, `refused: ${answer?.error.message}`)
    const { expr } = answer.value as { readonly expr: JsonValue }
    const text = toDebugString(fromJson(ExprSchema, expr, { registry }), KindAdorner.singleton)
    return text === test.ast ? passed(id) : wrong(id, `got ${text}\nwanted ${test.ast}`)
  })
}

/** The corpus does not say which of these are refused; what has a value must be true, unless it is no condition at all. */
async function comprehendAll(tools: Tools): Promise<readonly Outcome[]> {
  const cases = casesOf(getComprehensionSuite())
  const parsed = await tools.evalAll(
    'cel',
    cases.map(({ test }) => ({ expression: test.original.expr, mode: 'parse', libraries: [] })),
  )
  const found = await tools.evalAll(
    'cel',
    cases.map(({ test }) => ({ expression: test.original.expr, libraries: corpusLibraries, exact: true })),
  )
  return cases.map(({ id, test }, index) => {
    const [tree, answer] = [parsed[index], found[index]]
    if (test.ast !== undefined && tree?.ok) {
      const { expr } = tree.value as { readonly expr: JsonValue }
      const text = toDebugString(fromJson(ExprSchema, expr, { registry }), KindAdorner.singleton)
      if (text !== test.ast) return wrong(id, `got ${text}\nwanted ${test.ast}`)
    }
    if (!answer?.ok)
      return answer?.error.code.startsWith('cel-') ? passed(id) : wrong(id, `failed: ${answer?.error.message}`)
    const { value, type } = answer.value as { readonly value: unknown; readonly type: string }
    return type !== 'bool' || value === true ? passed(id) : wrong(id, 'wanted true')
  })
}

/** What the checker's tests declare besides what each says itself. */
const checkingTypes: Readonly<Record<string, string>> = {
  is: 'string',
  ii: 'int',
  iu: 'uint',
  iz: 'bool',
  ib: 'bytes',
  id: 'double',
  ix: 'null',
}
const checkingFunctions: Readonly<Record<string, string>> = {
  fg_s_0: 'fg_s(): string',
  fi_s_s_0: 'string -> fi_s_s(): string',
}

async function checkAll(tools: Tools): Promise<readonly Outcome[]> {
  const cases = casesOf(getCheckingSuite())
  const found = await answers(
    cases,
    tools,
    ({ test }) => {
      const { types, functions } = declarationsOf(test)
      return {
        expression: test.original.expr,
        container: test.original.container,
        types: { ...checkingTypes, ...types },
        functions: { ...checkingFunctions, ...functions },
        libraries: ['optional'],
        mode: 'check',
        syntax: parserOptions(test.type === undefined ? test.error : undefined),
      }
    },
    ({ test }) =>
      runOnLibrary(test, {
        libraries: ['optional'],
        mode: 'check',
        syntax: parserOptions(test.type === undefined ? test.error : undefined),
      }),
  )
  return cases.map(({ id, test }, index) => {
    const answer = found[index]
    if (test.type === undefined) return judgeRefusal(id, test.error ?? '', answer)
    if (!answer?.ok) return wrong(id, `refused: ${answer?.error.message}`)
    const { type, checkedExpr } = answer.value as { readonly type: string; readonly checkedExpr: JsonValue }
    const wanted = parseTypeText(test.type)
    if (type !== wanted) return wrong(id, `wanted the type ${wanted}, got ${type}`)
    const checked = fromJson(CheckedExprSchema, checkedExpr, { registry })
    const text = checked.expr ? toDebugString(checked.expr, new SemanticAdorner(checked)) : ''
    return text === test.checkedAst ? passed(id) : wrong(id, `got ${text}\nwanted ${test.checkedAst}`)
  })
}

const parseTypeText = (text: string): string => text

/** A refusal must say the same first sentence at the same place. */
function judgeRefusal(id: string, error: string, answer: EvalAnswer | undefined): Outcome {
  if (!answer || answer.ok) return wrong(id, `wanted ${error}`)
  const [, , message = ''] = /:(-?\d+:\d+): (.*)/.exec(error) ?? []
  const isSame =
    message === '' || answer.error.message.replaceAll(/_var\d+/g, 'dyn') === message.replaceAll(/_var\d+/g, 'dyn')
  return isSame ? passed(id) : wrong(id, `said ${answer.error.message}\nwanted ${message}`)
}

/** The evaluation corpus, whole. */
export const celEval: Suite = {
  name: 'cel-eval',
  from: 'package',
  run: (_, tools) => evaluateAll(getConformanceSuite(), tools),
}
/** Two-variable comprehensions. */
export const celComprehensions: Suite = {
  name: 'cel-comprehensions',
  from: 'package',
  run: (_, tools) => comprehendAll(tools),
}
export const celParsing: Suite = { name: 'cel-parsing', from: 'package', run: (_, tools) => parseAll(tools) }
export const celChecking: Suite = { name: 'cel-checking', from: 'package', run: (_, tools) => checkAll(tools) }
