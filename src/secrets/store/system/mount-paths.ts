import {
  booleanField,
  isGiven,
  listField,
  objectField,
  type Read,
  readAll,
  secondsField,
  textField,
  textMapField,
} from '../fields.ts'
import {
  badRequest,
  dataReply,
  type Fields,
  type MountRequest,
  nothing,
  type Outcome,
  refused,
  reply,
  unsupportedOperation,
} from '../logical.ts'
import { infoOf, isAuthMount, type Mount, type MountConfig, mountData, tuneData, usualConfig } from '../mount/mount.ts'
import { isFixed } from '../mount/mount-table.ts'
import { isWrite, type SystemHandler, type SystemParts } from './system-parts.ts'

const AUTH = 'auth/'

export const secretMounts: SystemHandler = (request, rest, parts) => mounts(request, rest, parts, '')
export const authMounts: SystemHandler = (request, rest, parts) => mounts(request, rest, parts, AUTH)

function mounts(request: MountRequest, rest: string, parts: SystemParts, under: string): Outcome | Promise<Outcome> {
  const { operation } = request
  if (rest === '') return operation === 'read' ? listMounts(parts, under) : unsupportedOperation()
  const isTune = rest.endsWith('/tune')
  const path = `${under}${(isTune ? rest.slice(0, -'/tune'.length) : rest).replace(/\/$/, '')}/`
  if (isTune) return operation === 'read' ? readTune(path, parts) : writeTune(request, path, parts)
  switch (operation) {
    case 'read': {
      const route = parts.mounts().at(path)
      if (!route)
        return badRequest(`No ${under === '' ? 'secret engine' : 'auth engine'} mount at ${path.slice(under.length)}`)
      return reply({ data: mountData(route.mount), alsoTopLevel: true })
    }
    case 'delete':
      return unmount(path, parts)
    case 'create':
    case 'update':
      return mount(request, path, parts)
    default:
      return unsupportedOperation()
  }
}

function listMounts({ mounts: table }: SystemParts, under: string): Outcome {
  const those = table()
    .mounts()
    .filter((one) => isAuthMount(one) === (under === AUTH))
  const data = Object.fromEntries(those.map((one) => [one.path.slice(under.length), mountData(one)]))
  return reply({ data, alsoTopLevel: true })
}

async function mount({ fields }: MountRequest, path: string, { mounts: table }: SystemParts): Promise<Outcome> {
  const read = readAll({
    type: textField(fields, 'type'),
    description: textField(fields, 'description'),
    options: textMapField(fields, 'options'),
    config: objectField(fields, 'config'),
    local: booleanField(fields, 'local'),
    sealWrap: booleanField(fields, 'seal_wrap'),
  })
  if (!read.ok) return read
  const { description = '', local = false, sealWrap = false } = read.value
  const options: Record<string, string> = Object.fromEntries(read.value.options ?? [])
  let type = read.value.type ?? ''
  if (type === '') return badRequest('backend type must be specified as a string')
  const version = /^kv-v([12])$/.exec(type)?.[1]
  if (version !== undefined || type === 'kv' || type === 'generic') {
    options['version'] = version ?? options['version'] ?? '1'
    type = 'kv'
    if (!['1', '2'].includes(options['version']))
      return badRequest(`invalid version ${JSON.stringify(options['version'])} of kv`)
  }
  const config = configFrom(new Map(Object.entries(read.value.config ?? {})), usualConfig)
  if (!config.ok) return config
  const mounted = await table().mount({ path, type, description, options, config: config.value, local, sealWrap })
  return mounted.ok ? nothing : mounted
}

async function unmount(path: string, { mounts: table, tokens, identity }: SystemParts): Promise<Outcome> {
  if (isFixed(path)) return badRequest(`cannot unmount "${path}"`)
  const mounted = table().at(path)?.mount
  // Nobody may go on with what a login method gave that is gone.
  if (mounted && isAuthMount(mounted)) await tokens.revokeBelow(path)
  await table().unmount(path)
  if (mounted) await identity.forgetMount(mounted.accessor)
  return nothing
}

function readTune(path: string, { mounts: table }: SystemParts): Outcome {
  const route = table().at(path)
  return route
    ? reply({ data: tuneData(route.mount), alsoTopLevel: true })
    : badRequest(`no mount at ${JSON.stringify(path)}`)
}

async function writeTune(request: MountRequest, path: string, { mounts: table }: SystemParts): Promise<Outcome> {
  if (!isWrite(request)) return unsupportedOperation()
  const route = table().at(path)
  if (!route) return badRequest(`no mount at ${JSON.stringify(path)}`)
  const { fields } = request
  const read = readAll({ description: textField(fields, 'description'), options: textMapField(fields, 'options') })
  if (!read.ok) return read
  const config = configFrom(fields, route.mount.config)
  if (!config.ok) return config
  const version = read.value.options?.get('version')
  if (version !== undefined && version !== route.mount.options['version']) {
    return badRequest('the version of a kv mount cannot be changed: mount another one and copy')
  }
  const { description = route.mount.description } = read.value
  const changed = await table().change(path, { config: config.value, description })
  return changed.ok ? nothing : changed
}

function configFrom(fields: Fields, known: MountConfig): Read<MountConfig> {
  const read = readAll({
    defaultTtl: ttlField(fields, 'default_lease_ttl'),
    maxTtl: ttlField(fields, 'max_lease_ttl'),
    listingVisibility: textField(fields, 'listing_visibility'),
    plainRequestKeys: listField(fields, 'audit_non_hmac_request_keys'),
    plainResponseKeys: listField(fields, 'audit_non_hmac_response_keys'),
    tokenType: textField(fields, 'token_type'),
  })
  if (!read.ok) return read
  const given = Object.fromEntries(Object.entries(read.value).filter(([, value]) => value !== undefined))
  const config: MountConfig = { ...known, ...given }
  if (config.maxTtl > 0 && config.defaultTtl > config.maxTtl) {
    return badRequest('default_lease_ttl must be less than max_lease_ttl')
  }
  if (!['', 'hidden', 'unauth'].includes(config.listingVisibility)) return badRequest('invalid listing_visibility')
  if (!['', 'default-service', 'service'].includes(config.tokenType)) {
    return badRequest(`invalid 'token_type': there are service tokens only`)
  }
  return { ok: true, value: config }
}

/** `system` stands for what the system says. */
function ttlField(fields: Fields, name: string): Read<number | undefined> {
  if (!isGiven(fields, name)) return { ok: true, value: undefined }
  return fields.get(name) === 'system' ? { ok: true, value: 0 } : secondsField(fields, name)
}

export const remount: SystemHandler = async (request, _, { mounts: table }) => {
  if (!isWrite(request)) return unsupportedOperation()
  const read = readAll({ from: textField(request.fields, 'from'), to: textField(request.fields, 'to') })
  if (!read.ok) return read
  const [from, to] = [read.value.from, read.value.to].map((path) =>
    path ? `${path.replace(/^\/|\/$/g, '')}/` : undefined,
  )
  if (!from || !to) return badRequest('both from and to path must be specified as a string')
  const moved = await table().change(from, { path: to })
  return moved.ok ? dataReply({ migration_id: request.mount.accessor }) : moved
}

/** What there is, for user interfaces and for the command line, which asks here which version a mount has. */
export const internalMounts: SystemHandler = ({ operation, token }, rest, { mounts: table, aclOf }) => {
  if (operation !== 'read') return unsupportedOperation()
  const acl = token && aclOf(token)
  const isShown = (one: Mount): boolean =>
    one.config.listingVisibility === 'unauth' || (acl?.touches(one.path) ?? false)
  if (rest === '') {
    const show = (isAuth: boolean): Readonly<Record<string, unknown>> =>
      Object.fromEntries(
        table()
          .mounts()
          .filter((one) => isAuthMount(one) === isAuth && isShown(one))
          .map((one) => [isAuth ? one.path.slice(AUTH.length) : one.path, shortData(one)]),
      )
    return dataReply({ auth: show(true), secret: show(false) })
  }
  const route = table().route(rest)
  if (!route || !isShown(route.mount)) {
    return refused(
      403,
      `preflight capability check returned 403, please ensure client's policies grant access to path "${rest}/"`.replace(
        '//"',
        '/"',
      ),
    )
  }
  const { maxTtlSeconds, defaultTtlSeconds } = infoOf(route.mount)
  return dataReply({
    ...mountData(route.mount),
    config: { default_lease_ttl: defaultTtlSeconds, max_lease_ttl: maxTtlSeconds, force_no_cache: false },
    path: route.mount.path,
  })
}

const shortData = ({ type, description, options }: Mount): Readonly<Record<string, unknown>> => ({
  type,
  description,
  options: Object.keys(options).length > 0 ? options : null,
})
