import type { CertificateMaker } from '../../../lib/certificates.ts'
import type { Ids } from '../../../lib/ids.ts'
import { fn, type FunctionTable } from '../function.ts'
import { failWith, type GoFunction } from '../value.ts'
import { certificates } from './certificates.ts'
import { ciphers } from './crypto.ts'
import { dates } from './dates.ts'
import { defaults } from './defaults.ts'
import { dicts } from './dicts.ts'
import { encodings } from './encodings.ts'
import { lists } from './lists.ts'
import { numbers } from './numbers.ts'
import { paths } from './paths.ts'
import { randomBelow } from './random.ts'
import { regexes } from './regexes.ts'
import { strings } from './strings.ts'
import { types } from './types.ts'
import { urls } from './urls.ts'
import { versions } from './versions.ts'

/** What sprig's functions need from outside. */
export interface SprigPorts {
  /** Milliseconds since the epoch: a Clock will do. */
  readonly clock: { readonly now: () => number }
  readonly ids: Ids
  readonly certificates: CertificateMaker
  /** The environment that env and expandenv show; left out, there is none, as in Helm. */
  readonly env?: Readonly<Record<string, string>>
  /** The zone that `Local` means; left out, UTC. */
  readonly zone?: string
  /** The addresses of a name; left out, there are none. */
  readonly lookUpHost?: (name: string) => readonly string[]
  /** Whose paths the os* functions know; left out, slashes. */
  readonly system?: 'unix' | 'windows'
}

/** What changes from run to run, left out of the hermetic table. */
const NOT_HERMETIC: readonly string[] = [
  'date',
  'date_in_zone',
  'date_modify',
  'now',
  'htmlDate',
  'htmlDateInZone',
  'dateInZone',
  'dateModify',
  'randAlphaNum',
  'randAlpha',
  'randAscii',
  'randNumeric',
  'randBytes',
  'uuidv4',
  'env',
  'expandenv',
  'getHostByName',
]

function environment(env: Readonly<Record<string, string>>): Record<string, GoFunction> {
  const get = (name: string): string => (Object.hasOwn(env, name) ? (env[name] ?? '') : '')
  return {
    env: fn(['string'], 'any', get),
    expandenv: fn(['string'], 'any', (text) =>
      text.replaceAll(/\$(?:\{([^}]*)\}|([*#$@!?0-9-]|\w+))/g, (_all, braced?: string, bare?: string) =>
        get(braced ?? bare ?? ''),
      ),
    ),
  }
}

function network(ports: SprigPorts): Record<string, GoFunction> {
  return {
    getHostByName: fn(['string'], 'any', (name) => {
      const found = ports.lookUpHost?.(name) ?? []
      return found.length === 0 ? failWith('invalid argument to Intn') : found[randomBelow(ports.ids, found.length)]
    }),
  }
}

/** Every function of sprig 3.3. Make the table once and use it for many templates: compiled ones are kept by table. */
export function sprigFunctions(ports: SprigPorts): Record<string, GoFunction> {
  const { ids, clock } = ports
  return {
    ...strings(ids),
    ...lists,
    ...dicts,
    ...defaults,
    ...numbers(ids),
    ...types,
    ...encodings,
    ...regexes,
    ...paths(ports.system ?? 'unix'),
    ...urls,
    ...versions,
    ...ciphers(ids),
    ...certificates({ maker: ports.certificates, ids, now: () => clock.now() }),
    ...dates({ now: () => clock.now(), zone: ports.zone ?? 'UTC' }),
    ...environment(ports.env ?? {}),
    ...network(ports),
    fail: fn(['string'], 'any', (message) => failWith(message)),
  }
}

/** Sprig without the functions whose result depends on time, chance or surroundings. */
export function hermeticFunctions(ports: SprigPorts): FunctionTable {
  return Object.fromEntries(Object.entries(sprigFunctions(ports)).filter(([name]) => !NOT_HERMETIC.includes(name)))
}
