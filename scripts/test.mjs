// npm test: set-up, static checks, every test, conformance floors; ends with one line that counts.
// Words after -- narrow it down to the test files whose path contains one of them. In CI most of them run on Node 24 too.
import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { check } from './check.mjs'
import { ensureBuilt, ensureInstalled, root, run } from './ensure.mjs'
import { otherNode } from './other-node.mjs'

const only = process.argv.slice(2)
/** What runs on the second Node as well: all that is ours, and a few of the slow stories of whole processes. */
const onBoth = ['src/', 'test/architecture', 'test/blueprint', 'test/library', 'stories/cli', 'stories/getting-started']
ensureInstalled()
ensureBuilt()

const totals = { passed: 0, failed: 0, skipped: 0 }
const failedChecks = only.length > 0 ? [] : check()
totals.failed += failedChecks.length

/** Runs every test on one Node and adds what it counted; a file that does not load counts as one failure. */
function testOn(node, name, words) {
  const report = join(root, '.cache', `vitest-${name}.json`)
  rmSync(report, { force: true })
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`]
  run(node, ['node_modules/vitest/vitest.mjs', 'run', ...reporters, ...words])
  try {
    const counted = JSON.parse(readFileSync(report, 'utf8'))
    const broken = counted.testResults.filter((file) => file.status === 'failed' && file.assertionResults.length === 0)
    totals.passed += counted.numPassedTests
    totals.skipped += counted.numPendingTests
    totals.failed += counted.numFailedTests + broken.length
  } catch (cause) {
    process.stderr.write(`cannot read the test report of Node ${name}: ${cause.message}\n`)
    totals.failed += 1
  }
}

testOn(process.execPath, process.versions.node, only)
if (process.env.CI && only.length === 0) {
  const node = otherNode()
  if (node) testOn(node, '24', onBoth)
  else process.stdout.write('Node 24 is not to be had here: the tests ran on one Node only\n')
}
if (only.length === 0 && run(process.execPath, ['scripts/run-ts.mjs', 'test/conformance/main.ts']) !== 0) {
  process.stdout.write('a conformance suite is below its floor\n')
  totals.failed += 1
}
if (failedChecks.length > 0) process.stdout.write(`failed checks: ${failedChecks.join(', ')}\n`)
const skipped = totals.skipped > 0 ? `, ${totals.skipped} skipped` : ''
process.stdout.write(`${totals.passed} passed, ${totals.failed} failed${skipped}\n`)
process.exit(totals.failed === 0 && totals.passed > 0 ? 0 : 1)
