import type { Command } from 'commander'
import { type AppProject, AppProjectKind, parseAppProject } from '../../../gitops/project/app-project.ts'
import { checkApplication, type JudgedApplication } from '../../../gitops/project/check-application.ts'
import { checkDestination, type ClusterIdentity } from '../../../gitops/project/destination-rules.ts'
import { isKindPermitted, isResourcePermitted } from '../../../gitops/project/resource-rules.ts'
import { mayRole, rolesOfGroups } from '../../../gitops/project/role-policies.ts'
import { checkSource } from '../../../gitops/project/source-rules.ts'
import { canSync, windowsOf } from '../../../gitops/project/sync-windows.ts'
import { validateProject } from '../../../gitops/project/validate-project.ts'
import type { Verdict } from '../../../gitops/project/verdict.ts'
import { fieldsOf, textOf } from '../../../gitops/fields.ts'
import type { KubeObject } from '../../../kube/object.ts'
import { formatTime } from '../../../kube/time.ts'
import { systemClock } from '../../../lib/clock.ts'
import { explain, type Result } from '../../../lib/result.ts'
import { addClusterOptions, type ClusterFlags, outputFormat, printAs, withCluster } from '../../cluster-client.ts'
import type { Io } from '../../command.ts'
import { readObjectsOf } from '../read-objects.ts'

interface Flags extends ClusterFlags {
  readonly output: string
  readonly in: string
  readonly file?: string
  readonly app?: string
  readonly repo?: string
  readonly server?: string
  readonly cluster?: string
  readonly namespace?: string
  readonly kind?: string
  readonly name?: string
  readonly clusterScoped?: boolean
  readonly role?: string
  readonly group: readonly string[]
  readonly resource: string
  readonly action?: string
  readonly object?: string
}

/** One answer: what was asked, whether it is allowed, by which rule, and what would allow it. */
interface Answer {
  readonly asked: string
  readonly allowed: boolean
  readonly because: string
  readonly rule?: string
  readonly cure?: string
}

const NAME = 'idp project check'

/** `idp project check`: whether a project allows something; exit code 1 when it does not. */
export function defineCheck(parent: Command, io: Io): Command {
  const command = parent
    .command('check')
    .argument('[name]', 'the AppProject; with -f it may be left out')
    .description('ask an AppProject whether it allows a source, a destination, a kind, an Application or an action')
    .option('-f, --file <file>', 'read projects from a file instead of a cluster')
    .option('--in <namespace>', 'where projects are', 'argocd')
    .option('--app <file>', 'judge the Applications of a file')
    .option('--repo <url>', 'may it take sources from here?')
    .option('--server <url>', 'may it deploy to this cluster?')
    .option('--cluster <name>', 'the name of that cluster', '')
    .option('--namespace <name>', 'the namespace to deploy to', '')
    .option('--kind <group/kind>', 'may it deploy objects of this kind? core kinds have no group: ConfigMap')
    .option('--name <name>', 'the name of that object', '')
    .option('--cluster-scoped', 'the kind lives in no namespace')
    .option('--role <name>', 'ask what this role may')
    .option('--group <name...>', 'ask what members of groups may', [])
    .option('--resource <name>', 'for a role: what kind of thing', 'applications')
    .option('--action <name>', 'for a role: what to do with it')
    .option('--object <name>', 'for a role: PROJECT/APPLICATION')
    .option('-o, --output <format>', 'text, json or yaml', 'text')
  return addClusterOptions(command).action(async (name: string | undefined, flags: Flags) => {
    const format = outputFormat(NAME, flags.output, io)
    if (!format) return
    const run = async (objects: readonly KubeObject[]): Promise<0 | 1 | 2> => {
      const projects = objects.map(parseAppProject).filter((project) => name === undefined || project.name === name)
      if (projects.length === 0) {
        io.err(`${NAME}: there is no AppProject ${name ?? ''}\n`)
        return 1
      }
      const answers = await answersOf(projects, flags, io)
      if (!answers.ok) {
        for (const problem of answers.error) io.err(`${NAME}: ${explain(problem)}\n`)
        return 1
      }
      printAs(format, answers.value, () => answers.value.map(textOfAnswer).join(''), io)
      return answers.value.every((answer) => answer.allowed) ? 0 : 1
    }
    if (flags.file !== undefined) {
      const objects = await readObjectsOf('AppProject', flags.file, io)
      if (objects.ok) io.exit(await run(objects.value))
      else {
        for (const problem of objects.error) io.err(`${NAME}: ${explain(problem)}\n`)
        io.exit(1)
      }
      return
    }
    if (name === undefined) {
      io.err(`${NAME}: name a project of the cluster, or a file with -f\n`)
      io.exit(2)
      return
    }
    await withCluster(NAME, flags, io, async (client) => {
      const target = { resource: AppProjectKind, namespace: flags.in, name }
      const found = await client.get(target, { signal: io.signal })
      if (found.ok) return run([found.value])
      io.err(`${NAME}: ${found.error.message}\n`)
      return 1
    })
  })
}

function textOfAnswer({ asked, allowed, because, rule, cure }: Answer): string {
  const lines = [
    `${allowed ? 'allowed' : 'refused'}  ${asked}`,
    `         ${because}${rule === undefined ? '' : ` (${rule})`}`,
  ]
  if (cure !== undefined) lines.push(`         to allow it: ${cure}`)
  return `${lines.join('\n')}\n`
}

const answerFor = (asked: string, verdict: Verdict): Answer => ({
  asked,
  allowed: verdict.permitted,
  because: verdict.because,
  rule: verdict.rule,
  ...(verdict.permitted ? {} : { cure: verdict.cure }),
})

async function answersOf(projects: readonly AppProject[], flags: Flags, io: Io): Promise<Result<readonly Answer[]>> {
  if (flags.app !== undefined) {
    const applications = await readObjectsOf('Application', flags.app, io)
    if (!applications.ok) return applications
    return { ok: true, value: applications.value.flatMap((object) => applicationAnswers(object, projects, flags)) }
  }
  return { ok: true, value: projects.flatMap((project) => projectAnswers(project, flags)) }
}

/** The cluster that is asked about; by its URL alone where it has no name. */
function clusterOf({ server = '', cluster = '' }: Pick<Flags, 'server' | 'cluster'>): ClusterIdentity {
  const local = { server: 'https://kubernetes.default.svc', name: 'in-cluster' }
  if (server === '' && (cluster === '' || cluster === local.name)) return local
  return { server, name: cluster === '' && server === local.server ? local.name : cluster }
}

function projectAnswers(project: AppProject, flags: Flags): readonly Answer[] {
  const { repo, server, cluster = '', namespace = '', kind } = flags
  const answers: Answer[] = []
  if (repo !== undefined) answers.push(answerFor(`${project.name}: source ${repo}`, checkSource(project, repo)))
  if (kind !== undefined) answers.push(kindAnswer(project, kind, flags))
  else if (server !== undefined || cluster !== '' || namespace !== '') {
    const place = clusterOf(flags)
    const asked = `${project.name}: destination ${place.server || place.name}, namespace ${JSON.stringify(namespace)}`
    answers.push(answerFor(asked, checkDestination(project, place, namespace)))
  }
  if (flags.action !== undefined) answers.push(...roleAnswers(project, flags))
  if (answers.length > 0) return answers
  const problems = validateProject(project)
  if (problems.length === 0) return [{ asked: project.name, allowed: true, because: 'the project is sound' }]
  return problems.map(({ at = '', message }) => ({ asked: `${project.name}: ${at}`, allowed: false, because: message }))
}

function kindAnswer(project: AppProject, text: string, flags: Flags): Answer {
  const slash = text.lastIndexOf('/')
  const [group, kind] = slash < 0 ? ['', text] : [text.slice(0, slash), text.slice(slash + 1)]
  const { namespace = '', name = '', clusterScoped = false } = flags
  const resource = { group, kind, name, isNamespaced: !clusterScoped, namespace }
  const asked = `${project.name}: ${text}${name === '' ? '' : ` ${name}`}${namespace === '' ? '' : ` in ${namespace}`}`
  const verdict =
    namespace === '' ? isKindPermitted(project, resource) : isResourcePermitted(project, resource, clusterOf(flags))
  return answerFor(asked, verdict)
}

function roleAnswers(project: AppProject, flags: Flags): readonly Answer[] {
  const { action = '', resource, object = `${project.name}/*` } = flags
  const roles = [...project.roles.filter((role) => role.name === flags.role), ...rolesOfGroups(project, flags.group)]
  if (roles.length === 0) {
    const who = flags.role === undefined ? `groups ${flags.group.join(', ')}` : `role ${flags.role}`
    return [{ asked: `${project.name}: ${who}`, allowed: false, because: 'the project has no such role' }]
  }
  return roles.map((role) => {
    const verdict = mayRole(project, role, { resource, action, object })
    return {
      asked: `${project.name}: role ${role.name}: ${action} ${resource} ${object}`,
      allowed: verdict.allowed,
      because: verdict.because,
    }
  })
}

function applicationAnswers(object: KubeObject, projects: readonly AppProject[], flags: Flags): readonly Answer[] {
  const application = object as unknown as JudgedApplication // judging reads only what it finds
  const spec = fieldsOf(object, 'spec')
  const wanted = textOf(spec, 'project') || 'default'
  const asked = `${object.metadata.name ?? ''}`
  const project = projects.find((each) => each.name === wanted)
  if (!project) {
    const names = projects.map((each) => each.name).join(', ')
    return [{ asked, allowed: false, because: `its project ${wanted} is not among ${names}` }]
  }
  const destination = fieldsOf(spec, 'destination')
  const cluster = clusterOf({ server: textOf(destination, 'server'), cluster: textOf(destination, 'name') })
  const violations = checkApplication(project, application, { cluster, controllerNamespace: flags.in })
  const refused = violations.map(({ message, because, rule, cure }) => ({
    asked: `${asked}: ${message}`,
    allowed: false,
    because,
    rule,
    cure,
  }))
  const window = windowAnswer(project, application, asked)
  const all = [...refused, ...(window ? [window] : [])]
  return all.length > 0 ? all : [{ asked, allowed: true, because: `the project ${project.name} allows it` }]
}

/** What a window says about a sync now; undefined when none stands in the way. */
function windowAnswer(project: AppProject, application: JudgedApplication, asked: string): Answer | undefined {
  const windows = windowsOf(project, application)
  const permission = canSync(windows, { nowMs: systemClock.now(), isManual: false })
  if (!permission.ok)
    return { asked: `${asked}: sync windows`, allowed: false, because: permission.error.map(explain).join('; ') }
  if (permission.value.allowed) return undefined
  const { because, cure, untilMs } = permission.value
  const until = untilMs === undefined ? '' : `, until ${formatTime(untilMs)}`
  return {
    asked: `${asked}: a sync now`,
    allowed: false,
    because: `${because}${until}`,
    rule: 'spec.syncWindows',
    cure,
  }
}
