import type { SyncOperation } from '../application/application.ts'
import { optionIn } from './annotation-options.ts'

export type Propagation = 'Foreground' | 'Background' | 'Orphan'

/** How a whole sync is done; objects may ask for more by their annotations. */
export interface SyncSettings {
  readonly isDryRun: boolean
  readonly prune: boolean
  readonly force: boolean
  readonly skipsHooks: boolean
  readonly validate: boolean
  readonly replace: boolean
  readonly serverSideApply: boolean
  readonly migratesClientSideApply: boolean
  readonly pruneLast: boolean
  readonly applyOutOfSyncOnly: boolean
  readonly createNamespace: boolean
  readonly failOnSharedResource: boolean
  readonly respectIgnoreDifferences: boolean
  readonly skipDryRunOnMissingResource: boolean
  readonly propagation: Propagation
  /** `Prune=` for the whole Application: `false` or `confirm`. */
  readonly defaultPrune: string | undefined
}

const propagations: readonly (readonly [string, Propagation])[] = [
  ['background', 'Background'],
  ['foreground', 'Foreground'],
  ['orphan', 'Orphan'],
]

/** Reads what an operation asks for. */
export function syncSettings(sync: SyncOperation): SyncSettings {
  const options = sync.syncOptions ?? []
  const has = (option: string): boolean => options.includes(option)
  const { apply, hook } = sync.syncStrategy ?? {}
  return {
    isDryRun: sync.dryRun === true,
    prune: sync.prune === true,
    force: apply ? apply.force === true : hook?.force === true,
    // Some objects alone, or nothing but applying: hooks are for whole syncs.
    skipsHooks: (apply !== undefined && apply !== null) || (sync.resources ?? []).length > 0,
    validate: !has('Validate=false'),
    replace: has('Replace=true'),
    serverSideApply: has('ServerSideApply=true'),
    migratesClientSideApply: !has('ClientSideApplyMigration=false'),
    pruneLast: has('PruneLast=true'),
    applyOutOfSyncOnly: has('ApplyOutOfSyncOnly=true'),
    createNamespace: has('CreateNamespace=true'),
    failOnSharedResource: has('FailOnSharedResource=true'),
    respectIgnoreDifferences: has('RespectIgnoreDifferences=true'),
    skipDryRunOnMissingResource: has('SkipDryRunOnMissingResource=true'),
    propagation: propagations.find(([name]) => has(`PrunePropagationPolicy=${name}`))?.[1] ?? 'Foreground',
    defaultPrune: optionIn(options, 'Prune'),
  }
}
