import { isEqual } from '../../../lib/json.ts'
import type { Fields, Operation } from '../logical.ts'
import { fillTemplate, isTemplate, type TemplateEntity } from './path-template.ts'
import type { Capability, Parameters, PathRule, Permissions, PolicyDocument } from './policy-document.ts'

/** A request as far as policies look at it. */
export interface AskedRequest {
  readonly path: string
  readonly operation: Operation
  readonly fields: Fields
  readonly wrapSeconds: number
}

/** What some policies together allow. */
export interface Acl {
  allows(request: AskedRequest): { readonly isAllowed: boolean; readonly hasSudo: boolean }
  /** What may be done at a path, in Vault's order; `deny` where nothing may. */
  capabilities(path: string): readonly string[]
  /** Whether something may be done somewhere below a mount. */
  touches(mount: string): boolean
}

/** The policy `root`: everything. */
export const rootAcl: Acl = {
  allows: () => ({ isAllowed: true, hasSudo: true }),
  capabilities: () => ['root'],
  touches: () => true,
}

const ORDER: readonly Capability[] = ['sudo', 'read', 'list', 'update', 'delete', 'create', 'patch']

/** Several policies as one, for somebody. Rules for the same path are joined; the one that is most particular decides. */
export function compileAcl(policies: readonly PolicyDocument[], entity?: TemplateEntity): Acl {
  const rules = new Rules()
  for (const { rules: those } of policies) {
    for (const rule of those) {
      const path = isTemplate(rule.path) ? fillTemplate(rule.path, entity) : rule.path
      if (path !== undefined) rules.add({ ...rule, path })
    }
  }
  return {
    allows(request) {
      // Anybody who is somebody may ask what a path is.
      if (request.operation === 'help') return { isAllowed: true, hasSudo: false }
      const found = rules.find(request.path, request.operation === 'list')
      if (!found) return { isAllowed: false, hasSudo: false }
      return { isAllowed: permits(found, request), hasSudo: found.capabilities.has('sudo') }
    },
    capabilities(path) {
      const found = rules.find(path, true)
      const able = ORDER.filter((one) => found?.capabilities.has(one))
      return able.length === 0 ? ['deny'] : able
    },
    touches: (mount) => rules.touches(mount),
  }
}

/** A path with `+` for whole segments, taken apart. */
interface SegmentRule {
  readonly segments: readonly string[]
  readonly path: string
  readonly isPrefix: boolean
  readonly firstWildcard: number
  readonly wildcards: number
  permissions: Permissions
}

class Rules {
  readonly #exact = new Map<string, Permissions>()
  readonly #prefixes = new Map<string, Permissions>()
  /** Lengths of prefixes there are, the longest first. */
  #lengths: readonly number[] = []
  readonly #segments = new Map<string, SegmentRule>()

  add({ path, permissions }: PathRule): void {
    if (path === '+' || path.startsWith('+/') || path.includes('/+')) {
      const known = this.#segments.get(path)
      const joined = known ? join(known.permissions, permissions) : permissions
      this.#segments.set(path, segmentRule(path, joined))
    } else if (path.endsWith('*')) {
      set(this.#prefixes, path.slice(0, -1), permissions)
      this.#lengths = [...new Set([...this.#prefixes.keys()].map(({ length }) => length))].toSorted((a, b) => b - a)
    } else {
      set(this.#exact, path, permissions)
    }
  }

  /** A list without the slash at its end is covered by a rule for the path without it, where no other is. */
  find(path: string, isList: boolean): Permissions | undefined {
    const bare = isList && path.endsWith('/') ? path.slice(0, -1) : undefined
    return (
      this.#exact.get(path) ??
      (bare === undefined ? undefined : this.#exact.get(bare)) ??
      this.#pattern(path) ??
      (bare === undefined ? undefined : this.#pattern(bare))
    )
  }

  touches(mount: string): boolean {
    const grants = ({ capabilities }: Permissions): boolean => capabilities.size > 0 && !capabilities.has('deny')
    for (const [path, permissions] of this.#exact) if (path.startsWith(mount) && grants(permissions)) return true
    for (const [path, permissions] of this.#prefixes) {
      if ((path.startsWith(mount) || mount.startsWith(path)) && grants(permissions)) return true
    }
    const parts = mount.replace(/\/$/, '').split('/')
    for (const { segments, isPrefix, permissions } of this.#segments.values()) {
      const reaches = parts.every((part, at) => {
        const segment = segments[at]
        if (segment === undefined) return isPrefix
        return (
          segment === '+' || segment === part || (isPrefix && at === segments.length - 1 && part.startsWith(segment))
        )
      })
      if (reaches && grants(permissions)) return true
    }
    return false
  }

  #pattern(path: string): Permissions | undefined {
    let best: SegmentRule | undefined
    for (const length of this.#lengths) {
      if (length > path.length) continue
      const prefix = path.slice(0, length)
      const permissions = this.#prefixes.get(prefix)
      if (!permissions) continue
      if (this.#segments.size === 0) return permissions
      best = { segments: [], path: prefix, isPrefix: true, firstWildcard: length, wildcards: 0, permissions }
      break
    }
    if (this.#segments.size === 0) return undefined
    const parts = path.split('/')
    for (const rule of this.#segments.values()) {
      if (matches(rule, parts) && (!best || isMoreParticular(rule, best))) best = rule
    }
    return best?.permissions
  }
}

function set(rules: Map<string, Permissions>, path: string, permissions: Permissions): void {
  const known = rules.get(path)
  rules.set(path, known ? join(known, permissions) : permissions)
}

function segmentRule(written: string, permissions: Permissions): SegmentRule {
  const isPrefix = written.endsWith('*')
  const path = isPrefix ? written.slice(0, -1) : written
  const segments = path.split('/')
  const wildcards = segments.filter((segment) => segment === '+').length
  return { segments, path, isPrefix, firstWildcard: written.indexOf('+'), wildcards, permissions }
}

function matches({ segments, isPrefix }: SegmentRule, parts: readonly string[]): boolean {
  if (parts.length < segments.length || (!isPrefix && parts.length !== segments.length)) return false
  return segments.every((segment, at) => {
    const part = parts[at] ?? ''
    if (segment === '+' || segment === part) return true
    return isPrefix && at === segments.length - 1 && part.startsWith(segment)
  })
}

/** The rules of precedence that Vault documents for policy paths, one after the other. */
function isMoreParticular(a: SegmentRule, b: SegmentRule): boolean {
  if (a.firstWildcard !== b.firstWildcard) return a.firstWildcard > b.firstWildcard
  if (a.isPrefix !== b.isPrefix) return b.isPrefix
  if (a.wildcards !== b.wildcards) return a.wildcards < b.wildcards
  if (a.path.length !== b.path.length) return a.path.length > b.path.length
  return a.path > b.path
}

/** Two rules for one path: capabilities add up, a deny wins, lifetimes of wrapped answers are as short as either wants. */
function join(a: Permissions, b: Permissions): Permissions {
  if (a.capabilities.has('deny')) return a
  if (b.capabilities.has('deny')) {
    const { allowed: _, denied: __, ...rest } = a
    return { ...rest, capabilities: new Set(['deny']) }
  }
  const allowed = joinParameters(a.allowed, b.allowed)
  const denied = joinParameters(a.denied, b.denied)
  return {
    capabilities: new Set([...a.capabilities, ...b.capabilities]),
    required: [...new Set([...a.required, ...b.required])],
    ...(allowed ? { allowed } : {}),
    ...(denied ? { denied } : {}),
    minWrapSeconds: shorter(a.minWrapSeconds, b.minWrapSeconds),
    maxWrapSeconds: shorter(a.maxWrapSeconds, b.maxWrapSeconds),
  }
}

const shorter = (a: number, b: number): number => (a === 0 ? b : b === 0 ? a : Math.min(a, b))

function joinParameters(a: Parameters | undefined, b: Parameters | undefined): Parameters | undefined {
  if (!a || !b || b.size === 0) return a ?? b
  const joined = new Map(a)
  for (const [name, values] of b) {
    const known = a.get(name)
    // Every value wins over some.
    joined.set(name, values.length === 0 || known?.length === 0 ? [] : [...values, ...(known ?? [])])
  }
  return joined
}

const NEEDED: Readonly<Record<Exclude<Operation, 'help'>, Capability>> = {
  read: 'read',
  list: 'list',
  create: 'create',
  update: 'update',
  patch: 'patch',
  delete: 'delete',
}

function permits(permissions: Permissions, { operation, fields, wrapSeconds }: AskedRequest): boolean {
  const { capabilities, minWrapSeconds: min, maxWrapSeconds: max } = permissions
  if (operation === 'help') return true
  if (!capabilities.has(NEEDED[operation])) return false
  if (max > 0 && (wrapSeconds === 0 || wrapSeconds > max)) return false
  if (min > 0 && (wrapSeconds === 0 || wrapSeconds < min)) return false
  if (min > 0 && max > 0 && max < min) return false
  if (operation === 'list' || operation === 'delete') return true
  return areFieldsPermitted(permissions, fields)
}

function areFieldsPermitted({ required, allowed, denied }: Permissions, fields: Fields): boolean {
  if (required.some((name) => !fields.has(name))) return false
  if (fields.size === 0) return true
  if (denied && denied.size > 0) {
    if (denied.has('*')) return false
    for (const [name, value] of fields) {
      const values = denied.get(name.toLowerCase())
      if (values && isAmong(value, values)) return false
    }
  }
  if (!allowed || allowed.size === 0) return true
  const allowsOthers = allowed.has('*')
  if (allowsOthers && allowed.size === 1) return true
  for (const [name, value] of fields) {
    const values = allowed.get(name.toLowerCase())
    if (values ? !isAmong(value, values) : !allowsOthers) return false
  }
  return true
}

/** An empty list stands for every value; in texts, `*` at either end stands for anything. */
function isAmong(value: unknown, values: readonly unknown[]): boolean {
  if (values.length === 0) return true
  return values.some((one) =>
    typeof one === 'string' && typeof value === 'string' ? matchesText(one, value) : isEqual(one, value),
  )
}

/** Whether a text fits one that may begin or end with `*`. */
export function matchesText(pattern: string, text: string): boolean {
  const begins = pattern.startsWith('*')
  const ends = pattern.endsWith('*')
  if (pattern === '*' || pattern === '') return pattern === '*' || text === ''
  const middle = pattern.slice(begins ? 1 : 0, ends ? -1 : undefined)
  if (begins && ends) return text.includes(middle)
  if (begins) return text.endsWith(middle)
  return ends ? text.startsWith(middle) : text === pattern
}
