/** How a store addresses secrets: the mount it names, if it does, and which engine is there. */
export interface VaultPlace {
  /** '' where every key begins with its mount. */
  readonly mount: string
  readonly version: 'v1' | 'v2'
}

const trimmed = (path: string): string => path.replace(/^\/+|\/+$/g, '')

/** The path below `/v1/` that a secret is read from; `data/` is put in for the second version where it is not there yet. */
export function dataPath({ mount, version }: VaultPlace, key: string): string {
  if (mount !== '') {
    let rest = key
    if (rest.startsWith(`${mount}/`)) {
      rest = rest.slice(mount.length + 1)
      if (version === 'v2' && rest.startsWith('data/')) rest = rest.slice('data/'.length)
    }
    return version === 'v2' ? `${mount}/data/${rest}` : `${mount}/${rest}`
  }
  if (version === 'v1' || key.includes('/data/')) return key
  const [first = '', ...rest] = key.split('/')
  return [first, 'data', ...rest].join('/')
}

/** The path below `/v1/` at which the metadata of a secret, or a list, is found; undefined where it cannot be told. */
export function metadataPath({ mount, version }: VaultPlace, key: string): string | undefined {
  if (version === 'v1') return mount === '' ? key : `${mount}/${key}`
  if (mount !== '') return `${mount}/metadata/${key}`
  return key.includes('data') ? key.replace('/data/', '/metadata/') : undefined
}

/** The mount and the path in it, as changes are told. */
export function placeOf(place: VaultPlace, key: string): { readonly mount: string; readonly path: string } {
  const whole = trimmed(dataPath(place, key))
  const mount = place.mount === '' ? (whole.split('/')[0] ?? '') : trimmed(place.mount)
  const rest = whole.slice(mount.length + 1)
  return { mount, path: place.version === 'v2' && rest.startsWith('data/') ? rest.slice('data/'.length) : rest }
}

/** A path as it stands in a URL; undefined where a part of it would lead elsewhere. */
export function urlPath(path: string): string | undefined {
  const parts = path.split('/')
  return parts.some((part) => part === '.' || part === '..') ? undefined : parts.map(encodeURIComponent).join('/')
}
