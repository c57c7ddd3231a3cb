import { fail, type Result, succeed } from '../../lib/result.ts'
import { digestOf } from './chart-cache.ts'

/** A chart with the digest of its archive; refused when another digest was promised. */
export function checked(
  chart: { readonly name: string; readonly version: string; readonly archive: Uint8Array },
  promised: string | undefined,
): Result<{ readonly name: string; readonly version: string; readonly archive: Uint8Array; readonly digest: string }> {
  const digest = digestOf(chart.archive)
  if (promised === undefined || promised === digest) return succeed({ ...chart, digest })
  return fail({
    code: 'chart-digest-mismatch',
    message: `the archive of chart ${chart.name} ${chart.version} has the digest ${digest}, but ${promised} was promised`,
    cure: 'somebody changed the archive or the index: find out which before you use it',
  })
}
