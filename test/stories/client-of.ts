import { accessOf, loadKubeconfig } from '../../src/client/kubeconfig.ts'
import { type RemoteClient, remoteClient } from '../../src/client/remote-client.ts'
import { systemClock } from '../../src/lib/clock.ts'
import { systemIds } from '../../src/lib/ids.ts'

/** A client for the cluster that a kubeconfig leads to; whoever asks closes it. */
export function clientOf(kubeconfig: string): RemoteClient {
  const config = loadKubeconfig([kubeconfig])
  const access = config.ok ? accessOf(config.value) : config
  if (!access.ok) throw new Error(access.error[0]?.message)
  return remoteClient({
    access: access.value,
    clock: systemClock,
    ids: systemIds,
    environment: {},
    userAgent: 'story',
  })
}
