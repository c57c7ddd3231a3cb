import { findViolations, parseStandardVersion } from '../../../kube/pod-security/evaluate.ts'
import type { Finding, Level, Offence, PodUnderCheck } from '../../../kube/pod-security/check.ts'
import type { KubeObject } from '../../../kube/object.ts'
import { matchesWildcard } from '../../engine/wildcard.ts'
import { podSpecPath } from '../context/image.ts'
import { at, type Fields, fieldsOf, listOf, textOf, textsOf } from '../read.ts'
import type { Outcome } from '../rule.ts'

/** One exclusion of a podSecurity rule or of an exception to it. */
interface Exclusion {
  readonly control: string
  readonly images: readonly string[]
  readonly field: string
  readonly values: readonly string[]
}

/** Holds a Pod, or the template of a Pod controller, against the Pod Security Standards. */
export function checkPodSecurity(
  block: Fields,
  rule: string,
  object: KubeObject,
  exempt: readonly unknown[] = [],
): Outcome {
  const standard = fieldsOf(block['podSecurity'])
  const level = levelOf(standard['level'])
  const version = textOf(standard['version']) || 'latest'
  const minor = parseStandardVersion(version)
  const pod = podOf(object)
  if (!level || minor === undefined) {
    return { verdict: 'error', message: `there is no Pod Security Standard ${textOf(standard['level'])}:${version}` }
  }
  if (!pod) return { verdict: 'error', message: `${object.kind} holds no Pod that podSecurity could be held against` }
  const found = findViolations(pod, { level, minor })
  const left = without(found, listOf(standard['exclude']).map(exclusionOf))
  const properties = { standard: level, version }
  if (left.length === 0) return { verdict: 'pass', message: `Validation rule '${rule}' passed.`, properties }
  if (exempt.length > 0 && without(left, exempt.map(exclusionOf)).length === 0) {
    return { verdict: 'skip', message: 'rule is skipped due to policy exceptions', properties }
  }
  const path = specPathOf(object.kind)
  const told = left.map((finding) => describe(finding, path)).join('')
  return {
    verdict: 'fail',
    message: `Validation rule '${rule}' failed. It violates PodSecurity "${level}:${version}": ${told}`,
    path: left[0]?.offences[0] ? placed(left[0].offences[0].path, path) : '',
    properties: { ...properties, controls: left.map(({ check }) => check).join(',') },
  }
}

function levelOf(value: unknown): Level | undefined {
  return value === 'privileged' || value === 'baseline' || value === 'restricted' ? value : undefined
}

const specPathOf = (kind: string): string => podSpecPath(kind)?.join('.') ?? 'spec'

function podOf(object: KubeObject): PodUnderCheck | undefined {
  const path = podSpecPath(object.kind)
  if (!path) return undefined
  const holder =
    path.length === 1 ? object : at(object, ...(object.kind === 'CronJob' ? path.slice(0, 2) : path.slice(0, -1)))
  const spec = at(object, ...path)
  return { metadata: fieldsOf(at(holder, 'metadata')), spec: fieldsOf(spec) as unknown as PodUnderCheck['spec'] } // checked field by field
}

function exclusionOf(value: unknown): Exclusion {
  const { controlName, images, restrictedField, values } = fieldsOf(value)
  return {
    control: textOf(controlName),
    images: textsOf(images),
    field: textOf(restrictedField),
    values: textsOf(values),
  }
}

function without(findings: readonly Finding[], exclusions: readonly Exclusion[]): readonly Finding[] {
  if (exclusions.length === 0) return findings
  return findings.flatMap((finding) => {
    const relevant = exclusions.filter(({ control }) => control === finding.control)
    const offences = finding.offences.filter((offence) => !relevant.some((exclusion) => excludes(exclusion, offence)))
    return offences.length > 0 || finding.offences.length === 0 ? [{ ...finding, offences }] : []
  })
}

/** An exclusion with images is about containers, one without about the Pod. */
function excludes({ images, field, values }: Exclusion, offence: Offence): boolean {
  const { image } = offence
  if (images.length === 0 ? offence.container !== undefined : image === undefined) return false
  if (images.length > 0 && !images.some((pattern) => matchesWildcard(pattern, image ?? ''))) return false
  if (field !== '' && offence.path.replace(/\d+/g, '*') !== field) return false
  return (
    values.length === 0 || badValues(offence.value).every((bad) => values.some((value) => matchesWildcard(value, bad)))
  )
}

function badValues(value: unknown): readonly string[] {
  if (Array.isArray(value)) return value.map(String)
  if (typeof value === 'string') return value === '' ? [] : [value]
  return typeof value === 'boolean' || typeof value === 'number' ? [String(value)] : []
}

const placed = (path: string, specPath: string): string =>
  path.startsWith('spec.') ? `${specPath}${path.slice('spec'.length)}` : path

function describe({ reason, offences }: Finding, specPath: string): string {
  const fields = offences.map(({ path, value }) => {
    const place = placed(path, specPath)
    if (value === undefined || value === null || value === '') return `${place}: Required value`
    return `${place} is forbidden, forbidden values found: ${typeof value === 'string' ? value : JSON.stringify(value)}`
  })
  return `(Forbidden reason: ${reason}, field error list: [${fields.join(', ')}])`
}
