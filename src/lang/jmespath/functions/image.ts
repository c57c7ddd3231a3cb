import { compilePattern, type Pattern } from '../../../lib/re2.ts'
import { wrongValue } from '../error.ts'
import type { JmesPathPorts } from '../run.ts'

/** The grammar of distribution/reference 0.6. */
const COMPONENT = '(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])'
const HOST = `(?:${COMPONENT}(?:\\.${COMPONENT})*|\\[[a-fA-F0-9:]+\\])(?::[0-9]+)?`
const PATH_COMPONENT = '[a-z0-9]+(?:(?:[._]|__|[-]+)[a-z0-9]+)*'
const PATH = `${PATH_COMPONENT}(?:/${PATH_COMPONENT})*`
const DIGEST = '[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}'
const REFERENCE = `^(?:(${HOST})/)?(${PATH})(?::([0-9A-Za-z_][0-9A-Za-z_.-]{0,127}))?(?:@(${DIGEST}))?$`
const KNOWN_DIGEST = /^(?:sha256:[a-f0-9]{64}|sha384:[a-f0-9]{96}|sha512:[a-f0-9]{128})$/
const LONGEST_NAME = 255
const LONGEST = 1_000

function pattern(): Pattern {
  const compiled = compilePattern(REFERENCE)
  if (!compiled.ok) throw new Error('cannot compile the grammar of image references')
  return compiled.value
}

const hasRegistry = (first: string): boolean =>
  /[.:]/.test(first) || first === 'localhost' || first.toLowerCase() !== first

/** The full name of an image: its registry, its path, and its digest or else its tag, `latest` when none is written. */
export function normalizeImage(image: string, ports: JmesPathPorts): string {
  const slash = image.indexOf('/')
  const isBare = slash < 0 || !hasRegistry(image.slice(0, slash))
  const full = isBare ? `${ports.defaultRegistry ?? 'docker.io'}/${image}` : image
  const matcher = full.length > LONGEST ? undefined : pattern().matcher(full)
  const refused = wrongValue(`image_normalize(): ${JSON.stringify(image.slice(0, 200))} is no image reference`)
  if (!matcher?.find()) throw refused
  const [registry, path, tag, digest] = [1, 2, 3, 4].map((group) => matcher.group(group) ?? '')
  const name = registry ? `${registry}/${path}` : (path ?? '')
  if (name.length > LONGEST_NAME || (digest && !KNOWN_DIGEST.test(digest))) throw refused
  const shown = isBare && ports.enableDefaultRegistryMutation === false ? (path ?? '') : name
  return digest ? `${shown}@${digest}` : `${shown}:${tag || 'latest'}`
}
