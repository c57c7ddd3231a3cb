import type { CommandModule } from './command.ts'

interface CommandEntry {
  readonly name: string
  readonly summary: string
  readonly load: () => Promise<CommandModule>
}

/** Every command in the order that help shows: the life of a platform first, then the others by name. Loading is lazy, so that one command does not pay for another. */
export const commands: readonly CommandEntry[] = [
  {
    name: 'up',
    summary: 'bring a platform up from its repository, and follow it',
    load: () => import('./commands/up.ts'),
  },
  {
    name: 'down',
    summary: 'end the platform that runs on a state folder',
    load: () => import('./commands/down.ts'),
  },
  {
    name: 'status',
    summary: 'show how the platform stands: desired, actionable, observed',
    load: () => import('./commands/status.ts'),
  },
  {
    name: 'doctor',
    summary: 'say what keeps a platform from working here, and what to do',
    load: () => import('./commands/doctor.ts'),
  },
  {
    name: 'init',
    summary: 'make a platform repository from the blueprint',
    load: () => import('./commands/init.ts'),
  },
  {
    name: 'bootstrap',
    summary: 'run the phases of IT/, or say what differs from them',
    load: () => import('./commands/bootstrap.ts'),
  },
  {
    name: 'apiserver',
    summary: 'run the embedded Kubernetes cluster: the API and its controllers',
    load: () => import('./commands/apiserver.ts'),
  },
  {
    name: 'app',
    summary: 'look at Applications, explain, sync and undo them',
    load: () => import('./commands/app.ts'),
  },
  {
    name: 'appset',
    summary: 'list ApplicationSets, and print what they generate',
    load: () => import('./commands/appset.ts'),
  },
  {
    name: 'completion',
    summary: 'print what a shell needs to complete commands and flags',
    load: () => import('./commands/completion.ts'),
  },
  {
    name: 'controllers',
    summary: 'run the platform against a cluster that lives elsewhere',
    load: () => import('./commands/controllers.ts'),
  },
  {
    name: 'eval',
    summary: 'evaluate a language or a pure engine over JSON lines',
    load: () => import('./commands/eval.ts'),
  },
  {
    name: 'events',
    summary: 'try Sensors and playbooks, send events and follow them',
    load: () => import('./commands/events.ts'),
  },
  {
    name: 'pki',
    summary: 'list certificates, explain and renew them, trust their root',
    load: () => import('./commands/pki.ts'),
  },
  {
    name: 'policy',
    summary: 'test policies, apply them to files, check and explain them',
    load: () => import('./commands/policy.ts'),
  },
  {
    name: 'project',
    summary: 'list AppProjects, and ask what they allow',
    load: () => import('./commands/project.ts'),
  },
  {
    name: 'render',
    summary: 'print what a chart, a kustomization, a folder or an Application renders to',
    load: () => import('./commands/render.ts'),
  },
  {
    name: 'secret',
    summary: "list, read, write, rotate and check what is in the platform's secret store",
    load: () => import('./commands/secret.ts'),
  },
  {
    name: 'vendor',
    summary: "bring a chart's dependencies into its charts/ folder, with their digests",
    load: () => import('./commands/vendor.ts'),
  },
]
