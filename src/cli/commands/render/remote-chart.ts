import { join, resolve } from 'node:path'
import { systemClock } from '../../../lib/clock.ts'
import { type Result, succeed } from '../../../lib/result.ts'
import type { Chart } from '../../../render/helm/chart.ts'
import type { HelmDialect } from '../../../render/helm/dialect.ts'
import { archivedFiles, chartFrom } from '../../../render/helm/load-chart.ts'
import { diskChartCache } from '../../../sources/chart/chart-cache.ts'
import { fetchChart } from '../../../sources/chart/fetch-chart.ts'
import { undiciHttp } from '../../../sources/chart/http.ts'
import { fetchBytes, MAX_CHART_BYTES } from '../../../sources/chart/repository.ts'
import type { Io } from '../../command.ts'

/** Where a chart that is not on the disk comes from. */
export interface RemoteOptions {
  readonly repo?: string
  readonly chartVersion?: string
  readonly username?: string
  readonly plainHttp?: boolean
  readonly state: string
}

/** Fetches and opens a chart: `oci://host/path/name`, a link to an archive, or a name in `--repo`. */
export async function remoteChart(
  chart: string,
  options: RemoteOptions,
  dialect: HelmDialect,
  io: Io,
): Promise<Result<Chart>> {
  const http = undiciHttp({ clock: systemClock })
  const { username } = options
  const credentials =
    username === undefined ? {} : { credentials: { username, password: io.env['IDP_CHART_PASSWORD'] ?? '' } }
  const reach = { http, signal: io.signal, plainHttp: options.plainHttp ?? false, ...credentials }
  try {
    const archive = await archiveOf(chart, options, reach, io)
    if (!archive.ok) return archive
    const files = archivedFiles(archive.value)
    return files.ok ? chartFrom(files.value, dialect) : files
  } finally {
    await http.close()
  }
}

async function archiveOf(
  chart: string,
  options: RemoteOptions,
  reach: Parameters<typeof fetchChart>[1],
  io: Io,
): Promise<Result<Uint8Array>> {
  if (options.repo === undefined && !chart.startsWith('oci://')) {
    return fetchBytes(reach, 'the chart', chart, { maxBytes: MAX_CHART_BYTES })
  }
  const cache = diskChartCache(join(resolve(io.cwd, options.state), 'charts'))
  const [, folder = '', name = chart, tag] = /^(oci:\/\/.*)\/([^/:]+)(?::([^/]+))?$/.exec(chart) ?? []
  const request = { repository: options.repo ?? folder, name, version: options.chartVersion ?? tag ?? '' }
  const fetched = await fetchChart(request, reach, cache)
  return fetched.ok ? succeed(fetched.value.archive) : fetched
}
