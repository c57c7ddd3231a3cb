import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Phase } from '../../../bootstrap/phases/phase.ts'
import { PHASES_FOLDER, readPhases } from '../../../bootstrap/phases/read-phases.ts'
import type { PhaseWork } from '../../../bootstrap/phases/run-phases.ts'
import { seedStore } from '../../../bootstrap/phases/seed-store.ts'
import { readStoreSeed } from '../../../bootstrap/phases/store-seed.ts'
import type { Client } from '../../../kube/client.ts'
import { certificateMaker } from '../../../lib/certificates.ts'
import { systemClock } from '../../../lib/clock.ts'
import { readData } from '../../../lib/data-file.ts'
import { diskTree } from '../../../lib/disk-tree.ts'
import { systemIds } from '../../../lib/ids.ts'
import { fail, type Result, succeed } from '../../../lib/result.ts'
import { kindTable } from '../../../render/kustomize/build-kustomization.ts'
import type { PlatformSettings } from '../../../render/settings/read-settings.ts'
import { undiciServiceHttp } from '../../../runtime/service-http.ts'

/** The phases of a platform repository, as its files are now. */
export function platformPhases(folder: string, settings: PlatformSettings): Result<readonly Phase[]> {
  return readPhases(diskTree(folder), settings, {
    ports: { clock: systemClock, ids: systemIds, certificates: certificateMaker },
    kustomize: { table: kindTable(readData) },
  })
}

const SECRETS_PHASE = `${PHASES_FOLDER}/3-secrets`
const STORE = { namespace: 'vault-system', name: 'vault' }
const slices = { resource: { group: 'discovery.k8s.io', version: 'v1', plural: 'endpointslices' } }

/** What phases do beside applying: the third fills the secret store of the platform. */
export function phaseWork(folder: string, stateFolder: string, client: Client): Readonly<Record<string, PhaseWork>> {
  return {
    async secrets(signal, tell) {
      const seed = readStoreSeed(diskTree(folder), SECRETS_PHASE)
      if (!seed.ok) return seed
      if (!seed.value) return succeed(true)
      const url = await storeUrl(client)
      const tokenFile = join(stateFolder, 'secrets', 'root-token')
      if (url === undefined || !existsSync(tokenFile)) {
        return fail({
          code: 'store-unreachable',
          message: `there is no secret store of this platform to be filled: ${url === undefined ? 'it is not served' : `${tokenFile} is missing`}`,
          cure: 'run the bootstrap where the platform runs, with its --state',
        })
      }
      const token = readFileSync(tokenFile, 'utf8').trim()
      return seedStore(seed.value, { url, token, http: undiciServiceHttp, signal }, systemIds, tell)
    },
  }
}

async function storeUrl(client: Client): Promise<string | undefined> {
  const slice = await client.get({ ...slices, ...STORE })
  const [port] = slice.ok ? ((slice.value['ports'] ?? []) as readonly { readonly port?: number }[]) : []
  return port?.port === undefined ? undefined : `http://127.0.0.1:${port.port}`
}
