import { emitYaml } from '../../lib/yaml.ts'
import type { Origin } from './resource.ts'

const scalar = (text: string): string => emitYaml(text).trimEnd()

function lines(origin: Origin): readonly string[] {
  const { path, repo, ref, configuredIn, configuredBy } = origin
  const fields = Object.entries({ path, repo, ref, configuredIn }).filter(([, value]) => value)
  const by = configuredBy ? Object.entries(configuredBy).filter(([, value]) => value) : []
  return [
    ...fields.map(([name, value]) => `${name}: ${scalar(value ?? '')}`),
    ...(by.length > 0 ? ['configuredBy:', ...by.map(([name, value]) => `  ${name}: ${scalar(String(value))}`)] : []),
  ]
}

/** The origin as its annotation shows it. */
export const originText = (origin: Origin): string =>
  lines(origin)
    .map((line) => `${line}\n`)
    .join('')

/** What changed a resource, as the annotation shows it. */
export const transformationsText = (origins: readonly Origin[]): string =>
  origins
    .map((origin) =>
      lines(origin)
        .map((line, index) => `${index === 0 ? '- ' : '  '}${line}\n`)
        .join(''),
    )
    .join('')

/** Joins a path to an origin's path; what comes from elsewhere says where. */
export function appendOrigin(origin: Origin, path: string): Origin {
  const parts: string[] = []
  for (const part of `${origin.path ?? ''}/${path}`.split('/')) {
    if (part === '' || part === '.') continue
    if (part === '..' && parts.length > 0 && parts.at(-1) !== '..') parts.pop()
    else parts.push(part)
  }
  return { ...origin, path: parts.join('/') }
}

/** The origin of what a repository holds. */
export function remoteOrigin(url: string): Origin {
  const [, repo = url, below = '', query = ''] =
    /^(.*?)(?:\/\/([^?]*))?(?:\?(.*))?$/.exec(url.replace(/^(\w+):\/\//, '$1:@@')) ?? []
  const ref = new URLSearchParams(query).get('ref')
  return { path: below, repo: repo.replace(':@@', '://'), ...(ref ? { ref } : {}) }
}
