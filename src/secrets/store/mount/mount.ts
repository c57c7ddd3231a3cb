import type { MountInfo } from '../logical.ts'

/** Everything kept of a mount. */
export interface Mount {
  /** With a slash at its end; those of login methods begin with `auth/`. */
  readonly path: string
  readonly type: string
  readonly description: string
  readonly uuid: string
  readonly accessor: string
  readonly local: boolean
  readonly sealWrap: boolean
  readonly options: Readonly<Record<string, string>>
  readonly config: MountConfig
}

export interface MountConfig {
  /** Seconds; 0 is what the system says. */
  readonly defaultTtl: number
  readonly maxTtl: number
  readonly listingVisibility: string
  readonly plainRequestKeys: readonly string[]
  readonly plainResponseKeys: readonly string[]
  readonly tokenType: string
}

/** How long things live where no mount says: 32 days. */
export const SYSTEM_TTL_SECONDS: number = 32 * 24 * 3_600

export const usualConfig: MountConfig = {
  defaultTtl: 0,
  maxTtl: 0,
  listingVisibility: '',
  plainRequestKeys: [],
  plainResponseKeys: [],
  tokenType: 'default-service',
}

export const isAuthMount = ({ path }: Pick<Mount, 'path'>): boolean => path.startsWith('auth/')

/** The mount as what is behind it knows it. */
export function infoOf({ path, type, accessor, config }: Mount): MountInfo {
  const maxTtlSeconds = config.maxTtl || SYSTEM_TTL_SECONDS
  const defaultTtlSeconds = Math.min(config.defaultTtl || SYSTEM_TTL_SECONDS, maxTtlSeconds)
  return { path, type, accessor, defaultTtlSeconds, maxTtlSeconds }
}

/** The mount as `sys/mounts` and `sys/auth` show it. */
export function mountData(mount: Mount): Readonly<Record<string, unknown>> {
  const { config, options } = mount
  return {
    accessor: mount.accessor,
    config: {
      default_lease_ttl: config.defaultTtl,
      force_no_cache: false,
      max_lease_ttl: config.maxTtl,
      ...(isAuthMount(mount) ? { token_type: config.tokenType } : {}),
      ...(config.listingVisibility === '' ? {} : { listing_visibility: config.listingVisibility }),
      ...(config.plainRequestKeys.length > 0 ? { audit_non_hmac_request_keys: config.plainRequestKeys } : {}),
      ...(config.plainResponseKeys.length > 0 ? { audit_non_hmac_response_keys: config.plainResponseKeys } : {}),
    },
    deprecation_status: 'supported',
    description: mount.description,
    external_entropy_access: false,
    local: mount.local,
    options: Object.keys(options).length > 0 ? options : null,
    plugin_version: '',
    running_plugin_version: '',
    running_sha256: '',
    seal_wrap: mount.sealWrap,
    type: mount.type,
    uuid: mount.uuid,
  }
}

/** The mount as `.../tune` shows it: with what it comes to. */
export function tuneData(mount: Mount): Readonly<Record<string, unknown>> {
  const { defaultTtlSeconds, maxTtlSeconds } = infoOf(mount)
  const { config, options, description } = mount
  return {
    default_lease_ttl: defaultTtlSeconds,
    max_lease_ttl: maxTtlSeconds,
    force_no_cache: false,
    description,
    ...(isAuthMount(mount) ? { token_type: config.tokenType } : {}),
    ...(config.listingVisibility === '' ? {} : { listing_visibility: config.listingVisibility }),
    ...(config.plainRequestKeys.length > 0 ? { audit_non_hmac_request_keys: config.plainRequestKeys } : {}),
    ...(config.plainResponseKeys.length > 0 ? { audit_non_hmac_response_keys: config.plainResponseKeys } : {}),
    ...(Object.keys(options).length > 0 ? { options } : {}),
  }
}
