import type { Command } from 'commander'
import { matchesWildcard } from '../../../policy/engine/wildcard.ts'
import { emitYaml } from '../../../lib/yaml.ts'
import type { Io } from '../../command.ts'
import { checkExpectations, type Row } from './check-expectations.ts'
import { UnusableFile } from './load-objects.ts'
import { runTest } from './run-test.ts'
import { type Expectation, loadTests, type PolicyTest } from './test-file.ts'

interface Options {
  readonly fileName: string
  readonly testCaseSelector: string
  readonly output?: string
  readonly outputFormat?: string
  readonly failOnly?: boolean
  readonly detailedResults?: boolean
  readonly requireTests?: boolean
}

const formats = ['json', 'yaml', 'markdown', 'junit']

/** `idp policy test DIR...`: runs the tests of folders as the Kyverno command line does. */
export function defineTest(command: Command, io: Io): Command {
  return command
    .command('test')
    .summary('run the kyverno-test.yaml files below folders')
    .argument('<dirs...>', 'folders with tests')
    .option('-f, --file-name <name>', 'how the files with tests are called', 'kyverno-test.yaml')
    .option(
      '-t, --test-case-selector <selector>',
      'which results to check: policy=A,rule=B,resource=C, with wildcards',
      '',
    )
    .option('-o, --output <format>', `how to print: ${formats.join(', ')}`)
    .option('--output-format <format>', 'the same as --output')
    .option('--fail-only', 'print only what failed')
    .option('--detailed-results', 'print the message of each result')
    .option('--require-tests', 'fail when there are no tests')
    .option('--registry', 'accepted: registries are not asked')
    .option('--remove-color', 'accepted: nothing is coloured')
    .action((dirs: readonly string[], options: Options) => {
      const format = options.outputFormat ?? options.output
      if (format !== undefined && !formats.includes(format)) {
        io.err(`idp policy test: there is no format ${JSON.stringify(format)}: use one of ${formats.join(', ')}\n`)
        io.exit(2)
        return
      }
      testFolders(dirs, { ...options, ...(format === undefined ? {} : { output: format }) }, io)
    })
}

function testFolders(dirs: readonly string[], options: Options, io: Io): void {
  const isWanted = selectorOf(options.testCaseSelector)
  const rows: Row[] = []
  let tests = 0
  let broken = 0
  for (const dir of dirs) {
    for (const attempt of attempts(dir, options.fileName, isWanted)) {
      if ('rows' in attempt) {
        tests++
        rows.push(...attempt.rows)
      } else {
        broken++
        rows.push(attempt.broken)
      }
    }
  }
  if (tests + broken === 0) {
    io.err(`idp policy test: there is no ${options.fileName} in ${dirs.join(', ')}\n`)
    io.exit(options.requireTests ? 1 : 0)
    return
  }
  const shown = options.failOnly ? rows.filter(({ result }) => result === 'Fail') : rows
  io.out(print(shown, options))
  const failed = rows.filter(({ result }) => result === 'Fail').length
  if (options.output === undefined) {
    io.out(`\nTest Summary: ${rows.length - failed} tests passed and ${failed} tests failed\n`)
  }
  io.exit(failed > 0 ? 1 : 0)
}

type Attempt = { readonly rows: readonly Row[] } | { readonly broken: Row }

/** Runs the tests of a folder; one that cannot be run is a failure and does not end the others. */
function attempts(dir: string, fileName: string, isWanted: (expectation: Expectation) => boolean): readonly Attempt[] {
  let found: readonly PolicyTest[]
  try {
    found = loadTests(dir, fileName)
  } catch (failure) {
    return [{ broken: brokenRow(dir, failure) }]
  }
  return found.map((test) => {
    try {
      return { rows: checkExpectations(test, runTest(test), isWanted) }
    } catch (failure) {
      return { broken: brokenRow(test.path, failure) }
    }
  })
}

function brokenRow(test: string, failure: unknown): Row {
  if (!(failure instanceof UnusableFile)) throw failure
  const { message } = failure
  return {
    test,
    policy: '',
    rule: '',
    resource: '',
    result: 'Fail',
    reason: 'Test error',
    message,
    expectation: -1,
    isSkip: false,
  }
}

function selectorOf(text: string): (expectation: Expectation) => boolean {
  const wanted = text.split(',').flatMap((part) => {
    const [key = '', value = ''] = part.split('=').map((side) => side.trim())
    return key === '' ? [] : [{ key, value }]
  })
  return ({ policy, rule, resources }) =>
    wanted.every(({ key, value }) => {
      if (key === 'policy') return policy === '' || matchesWildcard(value, policy)
      if (key === 'rule') return rule === '' || matchesWildcard(value, rule)
      if (key === 'resource')
        return resources.length === 0 || resources.some((resource) => matchesWildcard(value, resource))
      return true
    })
}

const columns = ['ID', 'POLICY', 'RULE', 'RESOURCE', 'RESULT', 'REASON'] as const

function print(rows: readonly Row[], options: Options): string {
  const detailed = options.detailedResults === true
  const records = rows.map((row, index) => ({
    ID: index + 1,
    POLICY: row.policy,
    RULE: row.rule,
    RESOURCE: row.resource,
    RESULT: row.result,
    REASON: row.reason,
    ...(detailed || row.result === 'Fail' ? { MESSAGE: row.message } : {}),
    TEST: row.test,
    EXPECTATION: row.expectation,
  }))
  switch (options.output) {
    case 'json':
      return `${JSON.stringify(records, undefined, 2)}\n`
    case 'yaml':
      return emitYaml(records)
    case 'markdown':
      return markdown(rows, detailed)
    case 'junit':
      return junit(rows, detailed)
    default:
      return table(rows, detailed)
  }
}

function cellsOf(row: Row, index: number, detailed: boolean): readonly string[] {
  const cells = [String(index + 1), row.policy, row.rule, row.resource, row.result, row.reason]
  return detailed ? [...cells, row.message] : cells
}

function table(rows: readonly Row[], detailed: boolean): string {
  const heads: readonly string[] = detailed ? [...columns, 'MESSAGE'] : columns
  const lines = [
    heads,
    ...rows.map((row, index) => cellsOf(row, index, detailed).map((cell) => cell.replaceAll('\n', ' '))),
  ]
  const widths = heads.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)))
  return lines
    .map(
      (line) =>
        `${line
          .map((cell, column) => cell.padEnd(widths[column] ?? 0))
          .join('  ')
          .trimEnd()}\n`,
    )
    .join('')
}

function markdown(rows: readonly Row[], detailed: boolean): string {
  const heads: readonly string[] = detailed ? [...columns, 'MESSAGE'] : columns
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|').replaceAll('\n', ' ')).join(' | ')} |\n`
  return (
    line(heads) + line(heads.map(() => '---')) + rows.map((row, index) => line(cellsOf(row, index, detailed))).join('')
  )
}

const escaped = (text: string): string =>
  text.replace(/[<>&"]/g, (char) => ({ '<': '&lt;', '>': '&gt;', '&': '&amp;' })[char] ?? '&quot;')

function junit(rows: readonly Row[], detailed: boolean): string {
  const failures = (some: readonly Row[]): number => some.filter(({ result }) => result === 'Fail').length
  const policies = [...new Set(rows.map(({ policy }) => policy))]
  const suites = policies.map((policy) => {
    const own = rows.filter((row) => row.policy === policy)
    const cases = own.map((row) => {
      const head = `  <testcase classname="${escaped(row.rule)}" name="${escaped(row.resource)}"`
      if (row.result !== 'Fail') return `${head}/>\n`
      const detail = detailed ? escaped(row.message) : ''
      return `${head}>\n   <failure message="${escaped(row.reason)}">${detail}</failure>\n  </testcase>\n`
    })
    return ` <testsuite name="${escaped(policy)}" tests="${own.length}" failures="${failures(own)}">\n${cases.join('')} </testsuite>\n`
  })
  return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites tests="${rows.length}" failures="${failures(rows)}">\n${suites.join('')}</testsuites>\n`
}
