import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { KubeObject } from '../../src/kube/object.ts'
import { systemClock } from '../../src/lib/clock.ts'
import { silentLog } from '../../src/lib/log.ts'
import { Informer } from '../../src/runtime/informer.ts'
import { platformFolder, removeFolder, type RunningPlatform, startPlatform } from '../../test/stories/platform.ts'
import { type Area, type Figure, percentile } from '../figure.ts'
import { memoryOf } from '../process-use.ts'

const COMMITS = Number(process.env['BENCH_COMMITS'] ?? 50)
const WARM_STARTS = 3
const configMaps = { resource: { group: '', version: 'v1', plural: 'configmaps' }, namespace: 'events' }

/** The blueprint's platform: from nothing and from what was there, and how long a commit takes to be live. */
export const platform: Area = {
  name: 'platform',
  async run(report) {
    const folder = await platformFolder()
    try {
      let running = await measured(folder, 'cold start: phases and all Applications', report)
      await running.stop()
      const warm: number[] = []
      for (let round = 0; round < WARM_STARTS; round++) {
        const began = performance.now()
        running = await startPlatform(folder)
        warm.push((performance.now() - began) / 1_000)
        if (round < WARM_STARTS - 1) await running.stop()
      }
      const budget = '3 s'
      report({ name: 'warm start, median of 3', value: percentile(warm, 0.5), unit: 's', budget })
      await commits(running, report)
      report({ name: 'memory after it all (RSS)', value: memoryOf(running.pid).resident, unit: 'MB', budget: '250 MB' })
      await running.client.close()
      await running.stop()
    } finally {
      removeFolder(folder)
    }
  },
}

async function measured(folder: string, name: string, report: (figure: Figure) => void): Promise<RunningPlatform> {
  const began = performance.now()
  const running = await startPlatform(folder)
  report({ name, value: (performance.now() - began) / 1_000, unit: 's' })
  report({ name: 'Applications', value: running.summary.applications.total, unit: '' })
  report({
    name: 'memory after the cold start (RSS)',
    value: memoryOf(running.pid).resident,
    unit: 'MB',
    budget: '250 MB',
  })
  return running
}

/** Commits that change one object each, and when its watcher hears of it. */
async function commits({ client, repository }: RunningPlatform, report: (figure: Figure) => void): Promise<void> {
  const stop = new AbortController()
  const informer = new Informer<KubeObject>({ client, clock: systemClock, log: silentLog, collection: configMaps })
  const live = new Map<string, number>()
  informer.listen(({ object }) => {
    const word = (object['data'] as { readonly word?: string } | undefined)?.word
    if (object.metadata.name === 'bench' && word !== undefined) live.set(word, performance.now())
  })
  void informer.run(stop.signal)
  const git = (...args: readonly string[]): void => {
    const identity = ['-c', 'user.name=Ada', '-c', 'user.email=ada@example.com']
    execFileSync('git', ['-C', repository, ...identity, ...args], { stdio: 'ignore' })
  }
  const took: number[] = []
  for (let round = 0; round <= COMMITS; round++) {
    const word = `round-${round}`
    const folder = join(repository, 'K8s', 'events', 'governance')
    writeFileSync(
      join(folder, 'bench.yaml'),
      `apiVersion: v1\nkind: ConfigMap\nmetadata: { name: bench, namespace: events }\ndata: { word: ${word} }\n`,
    )
    if (round === 0) {
      const kustomization = join(folder, 'kustomization.yaml')
      writeFileSync(kustomization, `${readFileSync(kustomization, 'utf8').trimEnd()}\n  - bench.yaml\n`)
    }
    git('add', '--all')
    git('commit', '--quiet', '--message', word)
    const began = performance.now()
    while (!live.has(word)) await systemClock.sleep(5)
    // The first one is also the first Application that syncs after the start.
    if (round > 0) took.push(Math.max(0, (live.get(word) ?? 0) - began))
  }
  stop.abort(new Error('the bench has ended'))
  report({
    name: `commit to live, ${COMMITS} commits, p50`,
    value: percentile(took, 0.5) / 1_000,
    unit: 's',
    budget: '1 s',
  })
  report({
    name: `commit to live, ${COMMITS} commits, p99`,
    value: percentile(took, 0.99) / 1_000,
    unit: 's',
    budget: '1 s',
  })
}
