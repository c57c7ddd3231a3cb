import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Ids } from '../lib/ids.ts'
import { describeError } from '../lib/log.ts'
import { SETTINGS_FILE } from '../render/settings/read-settings.ts'
import type { ControllerPart, ControllerPorts } from '../runtime/controller-part.ts'
import { repositoryAbove } from '../sources/git/local-repository.ts'
import { gitServer } from '../sources/git-server/git-server.ts'

/** The Service under which the platform's own repository is cloned and pushed to. */
export const REPOSITORY_SERVICE = { namespace: 'idp-system', name: 'git', port: 3000, repository: 'platform' } as const

/** The URL of the platform's own repository in the cluster. */
export const REPOSITORY_URL: string = `http://${REPOSITORY_SERVICE.name}.${REPOSITORY_SERVICE.namespace}.svc:${REPOSITORY_SERVICE.port}/${REPOSITORY_SERVICE.repository}.git`

export interface RepositoryServerOptions {
  readonly stateFolder: string
  /** The folder that is worked in; the repository around it is served if it is a platform's. */
  readonly workingFolder: string
  /** Where git is looked for. */
  readonly path: string
}

/** The token of whoever may clone and push, made at the first call and kept in the state folder. */
export function repositoryToken(stateFolder: string, ids: Ids): string {
  const file = join(stateFolder, 'git', 'token')
  if (existsSync(file)) return readFileSync(file, 'utf8').trim()
  mkdirSync(join(stateFolder, 'git'), { recursive: true, mode: 0o700 })
  const token = Buffer.from(ids.bytes(24)).toString('base64url')
  writeFileSync(file, `${token}\n`, { mode: 0o600, flag: 'wx' })
  return token
}

/** Serves the platform's repository, so that `git clone` and `git push` work against a running platform. */
export function repositoryServer(
  { surfaces, clock, ids, log }: Pick<ControllerPorts, 'surfaces' | 'clock' | 'ids' | 'log'>,
  { stateFolder, workingFolder, path }: RepositoryServerOptions,
): ControllerPart {
  return {
    pending: () => [],
    async run(signal) {
      const repository = repositoryAbove(workingFolder)
      if (!surfaces || repository === undefined || !existsSync(join(repository, SETTINGS_FILE))) return
      const home = join(stateFolder, 'git', 'home')
      mkdirSync(home, { recursive: true, mode: 0o700 })
      const { namespace, name, port, repository: called } = REPOSITORY_SERVICE
      const answer = gitServer({
        repository,
        name: called,
        token: repositoryToken(stateFolder, ids),
        program: { clock, path, home, timeoutMs: 60_000, maxOutputBytes: 1024 * 1024 },
        log,
      })
      try {
        await surfaces.open({ namespace, name, ports: [{ name: 'http', port }], answer })
      } catch (error) {
        if (!signal.aborted) log.warn('the repository is not served', { because: describeError(error) })
      }
    },
  }
}
