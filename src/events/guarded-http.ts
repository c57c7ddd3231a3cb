import type { Client } from '../kube/client.ts'
import { type Result, succeed } from '../lib/result.ts'
import type { ServiceHttp } from '../runtime/service-http.ts'
import { HTTP_ALLOW, readAllowed, refusedAddress } from './triggers/refused-address.ts'

/** HTTP on behalf of a namespace: addresses that lead into machines are refused, but for those that the Namespace allows. */
export function guardedHttp(
  client: Client,
  http: (refuse: (address: string) => string | undefined) => ServiceHttp,
): (namespace: string) => Promise<Result<ServiceHttp>> {
  return async (namespace) => {
    const found = await client.get({ resource: { group: '', version: 'v1', plural: 'namespaces' }, name: namespace })
    const allowed = readAllowed(found.ok ? (found.value.metadata.annotations?.[HTTP_ALLOW] ?? '') : '')
    return allowed.ok ? succeed(http((address) => refusedAddress(address, allowed.value))) : allowed
  }
}
