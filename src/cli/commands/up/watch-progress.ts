import { type PlatformProgress, platformProgress } from '../../../bootstrap/progress.ts'
import type { Application } from '../../../gitops/application/application.ts'
import type { Client } from '../../../kube/client.ts'
import type { Clock } from '../../../lib/clock.ts'

const applications = { resource: { group: 'argoproj.io', version: 'v1alpha1', plural: 'applications' } }
const applicationSets = { resource: { group: 'argoproj.io', version: 'v1alpha1', plural: 'applicationsets' } }

/** How the platform stands; undefined when it cannot be asked. */
export async function progressOf(client: Client): Promise<PlatformProgress | undefined> {
  const [sets, apps] = await Promise.all([client.list(applicationSets), client.list(applications)])
  if (!sets.ok || !apps.ok) return undefined
  // The API server has checked them against their definition.
  return platformProgress(sets.value.items, apps.value.items as readonly Application[])
}

const LOOK_EVERY_MS = 50
/** What was settled once may have been between two steps. */
const STEADY_LOOKS = 2

/** Looks until everything is as Git says, the time is up or the signal is aborted; answers how it stood last. */
export async function untilSettled(
  client: Client,
  clock: Clock,
  { timeoutMs, signal, tell }: { timeoutMs: number; signal: AbortSignal; tell: (progress: PlatformProgress) => void },
): Promise<PlatformProgress | undefined> {
  const until = clock.now() + timeoutMs
  let last: PlatformProgress | undefined
  for (let steady = 0; steady < STEADY_LOOKS;) {
    last = (await progressOf(client)) ?? last
    if (last) tell(last)
    steady = last?.isSettled ? steady + 1 : 0
    if (clock.now() >= until || signal.aborted) return last
    // Between looks that found all settled nothing is waited for but another turn.
    await clock.sleep(LOOK_EVERY_MS, { signal }).catch(() => {})
  }
  return last
}
