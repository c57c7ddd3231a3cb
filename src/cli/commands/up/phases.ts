import { join } from 'node:path'
import { writeSecret } from '../../../apiserver/pki/server-pki.ts'
import type { Phase } from '../../../bootstrap/phases/phase.ts'
import { PHASES_FOLDER, readPhases } from '../../../bootstrap/phases/read-phases.ts'
import type { PhaseWork } from '../../../bootstrap/phases/run-phases.ts'
import { type AskStore, initialiseStore, seedStore } from '../../../bootstrap/phases/seed-store.ts'
import { readStoreSeed } from '../../../bootstrap/phases/store-seed.ts'
import type { RemoteClient } from '../../../client/remote-client.ts'
import { certificateMaker } from '../../../lib/certificates.ts'
import { systemClock } from '../../../lib/clock.ts'
import { readData } from '../../../lib/data-file.ts'
import { diskTree } from '../../../lib/disk-tree.ts'
import { systemIds } from '../../../lib/ids.ts'
import { type Result, succeed } from '../../../lib/result.ts'
import { kindTable } from '../../../render/kustomize/build-kustomization.ts'
import type { PlatformSettings } from '../../../render/settings/read-settings.ts'

/** The phases of a platform repository, as its files are now. */
export function platformPhases(folder: string, settings: PlatformSettings): Result<readonly Phase[]> {
  return readPhases(diskTree(folder), settings, {
    ports: { clock: systemClock, ids: systemIds, certificates: certificateMaker },
    kustomize: { table: kindTable(readData) },
  })
}

const SECRETS_PHASE = `${PHASES_FOLDER}/3-secrets`
/** Below this path of the API server the platform's store is asked by whoever administers the cluster. */
const STORE_PAGES = '/idp/secret-store/v1'
/** Where the root token and the key shares of the store are left for the administrator, in the state folder. */
export const STORE_KEYS = 'secret-store.init.json'
const OPENS_WITHIN_MS = 20_000
const ASK_AGAIN_MS = 50

/** What phases do beside applying: the third fills the secret store of the platform. */
export function phaseWork(
  folder: string,
  stateFolder: string,
  client: RemoteClient,
): Readonly<Record<string, PhaseWork>> {
  return {
    async secrets(signal, tell) {
      const seed = readStoreSeed(diskTree(folder), SECRETS_PHASE)
      if (!seed.ok) return seed
      if (!seed.value) return succeed(true)
      const store = storeOf(client, signal)
      const keys = join(stateFolder, STORE_KEYS)
      const fresh = await initialiseStore(store, (secrets) =>
        writeSecret(keys, `${JSON.stringify(secrets, undefined, 2)}\n`),
      )
      if (!fresh.ok) return fresh
      if (fresh.value) tell('secret store', `initialised; its root token and key shares are in ${keys}`)
      return seedStore(seed.value, store, systemIds, tell)
    },
  }
}

/** The store as it is reached through the API server; it may open a moment after that. */
function storeOf(client: RemoteClient, signal: AbortSignal): AskStore {
  const until = systemClock.now() + OPENS_WITHIN_MS
  return async ({ path, ...request }) => {
    for (;;) {
      const answer = await client.ask({ ...request, path: `${STORE_PAGES}/${path}`, signal })
      if (answer.status !== 503 || !answer.body.includes('not open yet') || systemClock.now() >= until) return answer
      await systemClock.sleep(ASK_AGAIN_MS, { signal })
    }
  }
}
