// npm run conformance: --help says what it takes.
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { evalThrough, finish, type Outcome, type Pack, type Suite, type Tools } from './suite.ts'
import { suites } from './suites.ts'

declare const IDP_ROOT: string

const usage = `usage: npm run conformance -- [--suite NAME ...] [--cases DIR] [--report FILE.json] [--no-floor] [--list]

Runs the upstream projects' cases and compares the pass counts with test/conformance/floors.json.
  --suite NAME   only this suite; may be repeated: ${suites.map((suite) => suite.name).join(', ')}
  --cases DIR    where the packs of cases are
  --report FILE  write every case that does not pass, with its first difference
  --no-floor     measure only: exit 0 whatever passes
  --list         name the suites
Example: npm run conformance -- --suite patches --report .cache/patches.json`

const settings = {
  options: {
    help: { type: 'boolean', short: 'h', default: false },
    cases: { type: 'string', default: resolve(IDP_ROOT, '..', 'shared', 'conformance', 'cases') },
    suite: { type: 'string', multiple: true },
    report: { type: 'string' },
    list: { type: 'boolean', default: false },
    'no-floor': { type: 'boolean', default: false },
  },
} as const

/** The words of the command line; a wrong one ends the run with what would be right. */
function readOptions(): ReturnType<typeof parseArgs<typeof settings>>['values'] {
  try {
    return parseArgs(settings).values
  } catch (cause) {
    console.error(`conformance: ${cause instanceof Error ? cause.message.split('. ')[0] : String(cause)}: see --help`)
    return process.exit(2)
  }
}

const options = readOptions()
if (options.help) {
  console.log(usage)
  process.exit(0)
}

const idp = join(IDP_ROOT, 'dist', 'idp.js')
const scratchRoot = mkdtempSync(join(tmpdir(), 'idp-conformance-'))
const tools: Tools = {
  evalAll: (op, requests) => evalThrough(idp, op, requests),
  idp: (args, more) => finish(process.execPath, [idp, ...args], more),
  scratch: () => mkdtempSync(join(scratchRoot, 'case-')),
}

interface Line {
  readonly suite: string
  readonly passed: number
  readonly total: number
  readonly floor: number
  readonly ms: number
  readonly failing: readonly Outcome[]
}

/** Reads a suite's pack; a pack that is not there makes the suite be skipped, with a line that says so. */
function packOf(suite: Suite): Pack | undefined | 'missing' {
  if (suite.from === 'package') return undefined
  const path = join(options.cases, `${suite.name}.json`)
  return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as Pack) : 'missing'
}

async function measure(suite: Suite, floors: Readonly<Record<string, number>>): Promise<Line | undefined> {
  const pack = packOf(suite)
  if (pack === 'missing') {
    console.log(`${suite.name} skipped: no ${suite.name}.json in ${options.cases}`)
    return undefined
  }
  const began = Date.now()
  const outcomes = await suite.run(pack, tools)
  const passed = outcomes.filter((outcome) => outcome.verdict === 'passed').length
  const floor = floors[suite.name] ?? 0
  const line = {
    suite: suite.name,
    passed,
    total: outcomes.length,
    floor,
    ms: Date.now() - began,
    failing: outcomes.filter((outcome) => outcome.verdict !== 'passed'),
  }
  const excused = line.failing.filter((outcome) => outcome.verdict === 'excused').length
  const below = passed < floor && !options['no-floor'] ? `  BELOW THE FLOOR OF ${floor}` : ''
  console.log(`${suite.name} ${passed}/${line.total}${excused > 0 ? ` (${excused} excused)` : ''}${below}`)
  return line
}

async function main(): Promise<number> {
  const chosen = options.suite ? suites.filter((suite) => options.suite?.includes(suite.name)) : suites
  for (const name of options.suite ?? []) {
    if (!suites.some((suite) => suite.name === name)) {
      console.error(`no suite is called ${name}: use one of ${suites.map((suite) => suite.name).join(', ')}`)
      return 2
    }
  }
  if (options.list) {
    for (const suite of chosen) console.log(`${suite.name} (${suite.from})`)
    return 0
  }
  const floors = JSON.parse(readFileSync(join(IDP_ROOT, 'test', 'conformance', 'floors.json'), 'utf8')) as Readonly<
    Record<string, number>
  >
  const lines: Line[] = []
  for (const suite of chosen) {
    const line = await measure(suite, floors)
    if (line) lines.push(line)
  }
  if (options.report) {
    mkdirSync(dirname(resolve(options.report)), { recursive: true })
    writeFileSync(options.report, `${JSON.stringify({ suites: lines }, undefined, 2)}\n`)
  }
  if (options['no-floor']) return 0
  return lines.every((line) => line.passed >= line.floor) ? 0 : 1
}

try {
  process.exitCode = await main()
} finally {
  rmSync(scratchRoot, { recursive: true, force: true })
}
