import type { Result } from '../../lib/result.ts'
import type { ChartCache } from './chart-cache.ts'
import { fetchFromRegistry, type OciReach } from './oci.ts'
import { type FetchedChart, fetchFromRepository } from './repository.ts'

/** Which chart is wanted, and from where: `https://...` or `oci://...`. */
export interface ChartRequest {
  readonly repository: string
  readonly name: string
  /** A version or a constraint. */
  readonly version: string
  /** Known from a lock: then the cache answers without a network, and nothing else is accepted. */
  readonly digest?: string
}

/** Fetches a chart and keeps it; one whose digest is known comes from the cache. */
export async function fetchChart(
  { repository, name, version, digest }: ChartRequest,
  reach: OciReach,
  cache: ChartCache,
): Promise<Result<FetchedChart>> {
  const known = digest === undefined ? undefined : cache.get(digest)
  if (known && digest !== undefined) return { ok: true, value: { name, version, archive: known, digest } }
  const fetched = repository.startsWith('oci://')
    ? await fetchFromRegistry(repository, name, version, reach)
    : await fetchFromRepository(repository, name, version, reach)
  if (!fetched.ok) return fetched
  if (digest !== undefined && fetched.value.digest !== digest) {
    return {
      ok: false,
      error: [
        {
          code: 'chart-digest-mismatch',
          message: `chart ${name} ${version} from ${repository} has the digest ${fetched.value.digest}, but the lock says ${digest}`,
          cure: 'a published version was changed: find out why, then write the lock anew',
        },
      ],
    }
  }
  cache.put(fetched.value.archive)
  return fetched
}
