import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { Command } from 'commander'
import { diskTree } from '../../lib/disk-tree.ts'
import { systemClock } from '../../lib/clock.ts'
import { explain, fail, type Problem, type Result, succeed } from '../../lib/result.ts'
import { writeTarGz } from '../../lib/tar.ts'
import type { Chart } from '../../render/helm/chart.ts'
import { chartFiles, loadChart } from '../../render/helm/load-chart.ts'
import { diskChartCache } from '../../sources/chart/chart-cache.ts'
import { undiciHttp } from '../../sources/chart/http.ts'
import { type Vendored, vendorChart } from '../../sources/chart/vendor.ts'
import type { Io } from '../command.ts'

interface VendorOptions {
  readonly update?: boolean
  readonly repository: readonly string[]
  readonly username?: string
  readonly caFile?: string
  readonly plainHttp?: boolean
  readonly state: string
}

/** Where the digests of what was vendored are kept: helm passes over names in charts/ that begin with a point. */
const VENDOR_LOCK = 'charts/.vendor.yaml'

const one = (value: string, before: readonly string[]): readonly string[] => [...before, value]

/** `idp vendor`: brings the dependencies of a chart into its charts/ folder, with their digests. */
export function define(command: Command, io: Io): void {
  command
    .argument('<CHART>', 'a chart folder')
    .option('--update', 'resolve versions anew instead of following Chart.lock')
    .option('--repository <NAME=URL>', 'what @NAME and alias:NAME stand for', one, [])
    .option('--username <NAME>', 'a user; the password is IDP_CHART_PASSWORD')
    .option('--ca-file <FILE>', 'certificates of authorities to trust, in PEM')
    .option('--plain-http', 'reach OCI registries without TLS')
    .option('--state <DIR>', 'the state directory, which holds the cache', '.idp')
    .addHelpText(
      'after',
      `
Examples:
  idp vendor ./chart
  idp vendor ./chart --update --repository stable=https://charts.example.org`,
    )
    .action(async (folder: string, options: VendorOptions) => {
      const done = await vendor(resolve(io.cwd, folder), options, io)
      if (!done.ok) {
        io.err(done.error.map((problem) => `idp vendor: ${explain(problem)}\n`).join(''))
        io.exit(1)
        return
      }
      io.out(done.value.map(({ file, digest }) => `${file} ${digest}\n`).join(''))
    })
}

function readOptional(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw new Error(`cannot read ${path}`, { cause })
  }
}

/** Packs the chart that a `file://` dependency names. */
function packLocal(folder: string, path: string): Result<{ readonly version: string; readonly archive: Uint8Array }> {
  const missing: Problem = { code: 'chart-not-found', at: path, message: `directory ${path} not found` }
  let tree
  try {
    tree = diskTree(resolve(folder, path), '/')
  } catch {
    return fail(missing)
  }
  const chart: Result<Chart> = loadChart(tree, '')
  if (!chart.ok) return chart
  const files = chartFiles(tree, '')
  if (!files.ok) return files
  const { name, version } = chart.value.metadata
  const packed = files.value.map((file) => ({ name: `${name}/${file.name}`, data: file.data }))
  return succeed({ version, archive: writeTarGz(packed) })
}

async function vendor(folder: string, options: VendorOptions, io: Io): Promise<Result<Vendored['archives']>> {
  let tree
  try {
    tree = diskTree(folder, '/')
  } catch {
    return fail({ code: 'chart-not-found', at: folder, message: `cannot vendor ${folder}: there is no such folder` })
  }
  const chart = loadChart(tree, '')
  if (!chart.ok) return chart
  const http = undiciHttp({
    clock: systemClock,
    ...(options.caFile === undefined ? {} : { ca: readFileSync(resolve(io.cwd, options.caFile), 'utf8') }),
  })
  const { username } = options
  const credentials = username === undefined ? undefined : { username, password: io.env['IDP_CHART_PASSWORD'] ?? '' }
  try {
    const vendored = await vendorChart(
      {
        wanted: chart.value.metadata.dependencies ?? [],
        lock: chart.value.lock,
        vendored: readOptional(join(folder, VENDOR_LOCK)),
        update: options.update ?? false,
        repositories: new Map(
          options.repository.map((pair) => [pair.split('=')[0] ?? '', pair.slice(pair.indexOf('=') + 1)]),
        ),
        packLocal: (path) => packLocal(folder, path),
        now: () => systemClock.now(),
      },
      { http, signal: io.signal, plainHttp: options.plainHttp ?? false, ...(credentials ? { credentials } : {}) },
      diskChartCache(join(resolve(io.cwd, options.state), 'charts')),
    )
    if (!vendored.ok) return vendored
    write(folder, vendored.value, chart.value)
    return succeed(vendored.value.archives)
  } finally {
    await http.close()
  }
}

function write(folder: string, vendored: Vendored, { metadata, lock }: Chart): void {
  mkdirSync(join(folder, 'charts'), { recursive: true })
  for (const { file, archive } of vendored.archives) writeFileSync(join(folder, 'charts', file), archive)
  writeFileSync(join(folder, VENDOR_LOCK), vendored.vendorLock)
  // A lock that says the same stays as it is, with its time.
  if (lock && vendored.chartLock.includes(`digest: ${lock.digest}\n`)) return
  writeFileSync(join(folder, metadata.apiVersion === 'v1' ? 'requirements.lock' : 'Chart.lock'), vendored.chartLock)
}
