import { compilePattern } from '../../../lib/re2.ts'
import { fail, type Result, succeed } from '../../../lib/result.ts'

/** Where a webhook listens, as a path is matched against it. */
export interface Endpoint {
  matches(path: string): boolean
}

const LONGEST = 1_000

/** Reads an endpoint: a path, in which `{name}` stands for one segment and `{name:pattern}` for what matches (gorilla/mux). */
export function compileEndpoint(given: string): Result<Endpoint> {
  const endpoint = given.startsWith('/') ? given : `/${given}`
  if (endpoint.length > LONGEST) return refuse(`endpoint must not be longer than ${LONGEST} characters`)
  if (!/[{}]/.test(endpoint)) return succeed({ matches: (path) => path === endpoint })
  let source = ''
  let at = 0
  while (at < endpoint.length) {
    const character = endpoint.charAt(at)
    if (character === '}') return refuse(`endpoint ${JSON.stringify(given)} closes a brace that is not open`)
    if (character !== '{') {
      source += quoted(character)
      at += 1
      continue
    }
    const end = endOfVariable(endpoint, at)
    if (end === undefined) return refuse(`endpoint ${JSON.stringify(given)} leaves a brace open`)
    const inside = endpoint.slice(at + 1, end)
    const colon = inside.indexOf(':')
    const [name, pattern] = colon < 0 ? [inside, '[^/]+'] : [inside.slice(0, colon), inside.slice(colon + 1)]
    if (name === '' || pattern === '') return refuse(`endpoint ${JSON.stringify(given)} has a variable without a name`)
    source += `(?:${pattern})`
    at = end + 1
  }
  const compiled = compilePattern(`^${source}$`)
  return compiled.ok ? succeed({ matches: (path) => compiled.value.matcher(path).find() }) : compiled
}

const quoted = (character: string): string => (/[!-.:-@[-`{-~]/.test(character) ? `\\${character}` : character)

function endOfVariable(text: string, start: number): number | undefined {
  let depth = 0
  for (let at = start; at < text.length; at += 1) {
    if (text[at] === '{') depth += 1
    if (text[at] === '}') depth -= 1
    if (depth === 0) return at
  }
  return undefined
}

const refuse = (message: string): Result<never> => fail({ code: 'event-source-invalid', message })
