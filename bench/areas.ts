import { cli } from './areas/cli.ts'
import { cluster } from './areas/cluster.ts'
import { core } from './areas/core.ts'
import { events } from './areas/events.ts'
import { gitops } from './areas/gitops.ts'
import { git } from './areas/git.ts'
import { gotemplate } from './areas/gotemplate.ts'
import { planes } from './areas/planes.ts'
import { platform } from './areas/platform.ts'
import { policy } from './areas/policy.ts'
import { render } from './areas/render.ts'
import { workloads } from './areas/workloads.ts'
import type { Area } from './figure.ts'

/** Every bench area. */
export const areas: readonly Area[] = [
  cli,
  cluster,
  core,
  events,
  gitops,
  git,
  gotemplate,
  planes,
  platform,
  policy,
  render,
  workloads,
]
