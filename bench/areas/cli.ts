import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { type Area, percentile } from '../figure.ts'

declare const IDP_ROOT: string

const RUNS = 15

/** The median wall time of a whole process in milliseconds. */
function wholeProcessMs(args: readonly string[]): number {
  // Extra certificates are read at start-up by every Node process and would hide what we measure.
  const { NODE_EXTRA_CA_CERTS: _, ...env } = process.env
  const samples = Array.from({ length: RUNS }, () => {
    const began = performance.now()
    spawnSync(process.execPath, args, { env, stdio: 'ignore' })
    return performance.now() - began
  })
  return percentile(samples, 0.5)
}

/** How long a command takes to start, next to Node doing nothing. */
export const cli: Area = {
  name: 'cli',
  run(report) {
    const bare = wholeProcessMs(['-e', '0'])
    const idp = join(IDP_ROOT, 'dist', 'idp.js')
    const peers = { 'node -e 0': bare }
    report({ name: 'idp --help', value: wholeProcessMs([idp, '--help']), unit: 'ms', peers, budget: '150 ms' })
    report({
      name: 'idp eval --help',
      value: wholeProcessMs([idp, 'eval', '--help']),
      unit: 'ms',
      peers,
      budget: '150 ms',
    })
    return Promise.resolve()
  },
}
