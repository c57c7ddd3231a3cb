import { compilePattern } from '../../lib/re2.ts'
import type { AppProject } from './app-project.ts'
import { checkDestination, type ClusterIdentity } from './destination-rules.ts'
import { covers, normalRepoUrl } from './match-rule.ts'
import { checkSource } from './source-rules.ts'
import { deny, permit, type Verdict, type Violation } from './verdict.ts'

/** What of an Application its project judges. An Application's `metadata` and `spec` fit as they are. */
export interface JudgedApplication {
  readonly metadata: { readonly name?: string; readonly namespace?: string }
  readonly spec: {
    readonly source?: JudgedSource
    readonly sources?: readonly JudgedSource[]
    readonly sourceHydrator?: {
      readonly drySource?: JudgedSource
      readonly syncSource?: { readonly repoURL?: string; readonly path?: string; readonly targetBranch?: string }
    }
    readonly destination?: { readonly server?: string; readonly name?: string; readonly namespace?: string }
  }
}

export interface JudgedSource {
  readonly repoURL?: string
  readonly path?: string
  readonly chart?: string
  readonly ref?: string
  readonly targetRevision?: string
}

/** What the judgement needs to know of the installation. */
export interface ProjectSurroundings {
  /** The cluster that the destination names; undefined where there is none. */
  readonly cluster: ClusterIdentity | undefined
  readonly clusters?: readonly ClusterIdentity[]
  /** Where projects and the first Applications live; Applications there may use any project. */
  readonly controllerNamespace: string
}

/**
 * Every rule of the project that an Application breaks; none when it may be deployed. A malformed source ends the
 * search, as upstream (util/argo ValidatePermissions).
 */
export function checkApplication(
  project: AppProject,
  application: JudgedApplication,
  surroundings: ProjectSurroundings,
): readonly Violation[] {
  const violations: Violation[] = []
  const namespace = isNamespacePermitted(project, application.metadata.namespace ?? '', surroundings)
  if (!namespace.permitted) {
    const { name = '', namespace: at = '' } = application.metadata
    const message = `application '${name}' in namespace '${at}' is not permitted to use project '${project.name}'`
    violations.push(violationOf(namespace, { code: 'project-namespace-denied', at: 'metadata.namespace', message }))
  }
  const { spec } = application
  const malformed = malformedSource(application)
  if (malformed) return [...violations, malformed]
  for (const { source, at } of sourcesOf(spec)) {
    const verdict = checkSource(project, source.repoURL ?? '')
    const message = `application repo ${source.repoURL ?? ''} is not permitted in project '${project.name}'`
    if (!verdict.permitted) violations.push(violationOf(verdict, { code: 'project-source-denied', at, message }))
  }
  const place = judgeDestination(project, application, surroundings)
  return place ? [...violations, place] : violations
}

function judgeDestination(
  project: AppProject,
  { spec }: JudgedApplication,
  { cluster, clusters }: ProjectSurroundings,
): Violation | undefined {
  const { name = '', namespace = '', server = '' } = spec.destination ?? {}
  if (!cluster) return unknownCluster(name, server)
  const verdict = checkDestination(project, cluster, namespace, clusters)
  if (verdict.permitted) return undefined
  const shown = name === '' ? cluster.server : cluster.name
  const message = `application destination server '${shown}' and namespace '${namespace}' do not match any of the allowed destinations in project '${project.name}'`
  return violationOf(verdict, { code: 'project-destination-denied', at: 'spec.destination', message })
}

function unknownCluster(name: string, server: string): Violation {
  const message =
    name !== '' && server !== ''
      ? `application destination can't have both name and server defined: ${name} ${server}`
      : name === '' && server === ''
        ? 'destination server missing from app spec'
        : name === ''
          ? `error getting cluster by server "${server}": cluster "${server}" not found`
          : `unable to find destination server: there are no clusters with this name: ${name}`
  return {
    code: 'destination-unknown',
    at: 'spec.destination',
    message,
    rule: 'spec.destination',
    because: 'the destination names no cluster that is known',
    cure: 'set either destination.server or destination.name to a cluster that has a Secret, or to in-cluster',
  }
}

interface Placed {
  readonly source: JudgedSource
  readonly at: string
}

/** The sources that count, each with its place: `sources` win over `source`, the hydrator over both. */
function sourcesOf(spec: JudgedApplication['spec']): readonly Placed[] {
  const { drySource, syncSource } = spec.sourceHydrator ?? {}
  if (drySource) {
    const dry = { source: drySource, at: 'spec.sourceHydrator.drySource.repoURL' }
    const repoURL = syncSource?.repoURL
    if (repoURL === undefined || repoURL === '' || normalRepoUrl(repoURL) === normalRepoUrl(drySource.repoURL ?? ''))
      return [dry]
    return [dry, { source: { repoURL }, at: 'spec.sourceHydrator.syncSource.repoURL' }]
  }
  if (spec.sources && spec.sources.length > 0) {
    return spec.sources.map((source, index) => ({ source, at: `spec.sources[${index}].repoURL` }))
  }
  return [{ source: spec.source ?? {}, at: 'spec.source.repoURL' }]
}

function malformedSource({ spec }: JudgedApplication): Violation | undefined {
  if (spec.sourceHydrator?.drySource) return undefined
  const isMany = (spec.sources?.length ?? 0) > 0
  for (const { source, at } of sourcesOf(spec)) {
    const { repoURL = '', path = '', chart = '', ref = '', targetRevision = '' } = source
    const hasPlace = path !== '' || chart !== '' || (isMany && ref !== '')
    if (repoURL === '' || !hasPlace) {
      const message = isMany
        ? `spec.source.repoURL and either source.path, source.chart, or source.ref are required for source ${at.slice(0, -'.repoURL'.length)}`
        : 'spec.source.repoURL and either spec.source.path or spec.source.chart are required'
      return incomplete(at, message, 'set repoURL, and path or chart')
    }
    if (chart !== '' && targetRevision === '') {
      const message = 'spec.source.targetRevision is required if the manifest source is a helm chart'
      return incomplete(at, message, 'set targetRevision to the version of the chart')
    }
  }
  return undefined
}

const incomplete = (at: string, message: string, cure: string): Violation => ({
  code: 'source-incomplete',
  at,
  message,
  cure,
  rule: 'spec.source',
  because: 'the source does not say what to read',
})

/** Whether Applications of a namespace may use the project: its own namespace always, others by `sourceNamespaces`. */
export function isNamespacePermitted(
  project: AppProject,
  namespace: string,
  { controllerNamespace }: Pick<ProjectSurroundings, 'controllerNamespace'>,
): Verdict {
  if (namespace === '' || namespace === controllerNamespace) {
    return permit('metadata.namespace', 'the Application lives beside its project')
  }
  const index = project.sourceNamespaces.findIndex((rule) => isListed(rule, namespace))
  if (index >= 0) return permit(`spec.sourceNamespaces[${index}]`, `the rule accepts the namespace "${namespace}"`)
  return deny(
    'spec.sourceNamespaces',
    `no rule accepts Applications of the namespace "${namespace}"`,
    `add "${namespace}" to spec.sourceNamespaces`,
  )
}

/** A glob, or between slashes a regular expression (util/glob MatchStringInList). */
export function isListed(rule: string, text: string): boolean {
  if (rule.length > 1 && rule.startsWith('/') && rule.endsWith('/')) {
    const pattern = compilePattern(rule.slice(1, -1))
    if (pattern.ok && pattern.value.matcher(text).find()) return true
  }
  return covers(rule, text)
}

function violationOf(
  verdict: Exclude<Verdict, { permitted: true }>,
  problem: { readonly code: string; readonly at: string; readonly message: string },
): Violation {
  return { ...problem, because: verdict.because, rule: verdict.rule, cure: verdict.cure }
}
