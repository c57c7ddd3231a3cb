/** Slash-separated paths by Go's `path` rules, and drive-letter paths by those of `filepath` on Windows. */
export interface PathRules {
  base(path: string): string
  dir(path: string): string
  ext(path: string): string
  clean(path: string): string
  isAbs(path: string): boolean
}

function cleanParts(parts: readonly string[], isRooted: boolean): readonly string[] {
  const kept: string[] = []
  for (const part of parts) {
    if (part === '' || part === '.') continue
    if (part !== '..') kept.push(part)
    else if (kept.length > 0 && kept.at(-1) !== '..') kept.pop()
    else if (!isRooted) kept.push('..')
  }
  return kept
}

function extension(name: string): string {
  const dot = name.lastIndexOf('.')
  return dot < 0 ? '' : name.slice(dot)
}

/** A path without the separators at its end. */
function withoutTail(path: string, separators: string): string {
  let end = path.length
  while (end > 0 && separators.includes(path[end - 1] ?? '')) end -= 1
  return path.slice(0, end)
}

function clean(path: string): string {
  const isRooted = path.startsWith('/')
  const joined = (isRooted ? '/' : '') + cleanParts(path.split('/'), isRooted).join('/')
  return joined === '' ? '.' : joined
}

/** Paths with `/`. */
export const slashPaths: PathRules = {
  clean,
  base(path) {
    if (path === '') return '.'
    const trimmed = withoutTail(path, '/')
    return trimmed === '' ? '/' : trimmed.slice(trimmed.lastIndexOf('/') + 1)
  },
  dir: (path) => clean(path.slice(0, path.lastIndexOf('/') + 1)),
  ext: (path) => extension(path.slice(path.lastIndexOf('/') + 1)),
  isAbs: (path) => path.startsWith('/'),
}

const VOLUME = /^(?:[a-zA-Z]:|[\\/]{2}[^\\/.][^\\/]*[\\/][^\\/.][^\\/]*)/
const volumeOf = (path: string): string => VOLUME.exec(path)?.[0] ?? ''
const isSeparator = (character: string | undefined): boolean => character === '\\' || character === '/'

function cleanWindows(path: string): string {
  const volume = volumeOf(path)
  const rest = path.slice(volume.length)
  const isRooted = isSeparator(rest[0])
  const joined = (isRooted ? '\\' : '') + cleanParts(rest.split(/[\\/]/), isRooted).join('\\')
  return volume.replaceAll('/', '\\') + (joined === '' && !volume.startsWith('\\') ? '.' : joined)
}

const lastSeparator = (path: string): number => Math.max(path.lastIndexOf('\\'), path.lastIndexOf('/'))

/** Paths with `\` and volumes. */
export const windowsPaths: PathRules = {
  clean: cleanWindows,
  base(path) {
    if (path === '') return '.'
    const trimmed = withoutTail(path, '\\/').slice(volumeOf(path).length)
    return trimmed === '' ? '\\' : trimmed.slice(lastSeparator(trimmed) + 1)
  },
  dir(path) {
    const volume = volumeOf(path)
    const above = cleanWindows(path.slice(volume.length, lastSeparator(path) + 1))
    return above === '.' && volume.length > 2 ? volume : volume + above
  },
  ext: (path) => extension(path.slice(lastSeparator(path) + 1)),
  isAbs(path) {
    const volume = volumeOf(path)
    return volume !== '' && (volume.length > 2 || isSeparator(path[volume.length]))
  },
}
