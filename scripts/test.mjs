// npm test: set-up, static checks, every test, conformance floors; ends with one line that counts.
// Words after -- narrow it down to the test files whose path contains one of them.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { check } from './check.mjs'
import { ensureBuilt, ensureInstalled, root, run, tool } from './ensure.mjs'

const only = process.argv.slice(2)
ensureInstalled()
ensureBuilt()
const failedChecks = only.length > 0 ? [] : check()

const report = join(root, '.cache', 'vitest.json')
tool('vitest/vitest.mjs', ['run', '--reporter=default', '--reporter=json', `--outputFile.json=${report}`, ...only])
let passed = 0
let failed = failedChecks.length
try {
  const counted = JSON.parse(readFileSync(report, 'utf8'))
  passed = counted.numPassedTests
  // A file that does not even load counts as one failure.
  const broken = counted.testResults.filter((file) => file.status === 'failed' && file.assertionResults.length === 0)
  failed += counted.numFailedTests + broken.length
} catch (cause) {
  process.stderr.write(`cannot read the test report: ${cause.message}\n`)
  failed += 1
}
if (only.length === 0) {
  const conformance = run(process.execPath, ['scripts/run-ts.mjs', 'test/conformance/main.ts'])
  if (conformance !== 0) failed += 1
}
if (failedChecks.length > 0) process.stdout.write(`failed checks: ${failedChecks.join(', ')}\n`)
process.stdout.write(`${passed} passed, ${failed} failed\n`)
process.exit(failed === 0 && passed > 0 ? 0 : 1)
