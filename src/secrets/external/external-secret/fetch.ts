import { succeed } from '../../../lib/result.ts'
import { checkNullBytes, decodeData, decodeValue, type SecretData } from '../data/decode.ts'
import { checkKeys, convertKey, withKeys } from '../data/keys.ts'
import { rewrite } from '../data/rewrite.ts'
import { failed, type Fetched, within } from '../data/trouble.ts'
import type { SecretsClient } from '../providers/provider.ts'
import type { DataFromItem, DataItem, ExternalSecretSpec, GeneratorRef, StoreRef } from '../spec/external-secret.ts'
import type { TemplateEngine } from '../template/template-engine.ts'

/** The ways to values. */
export interface Ways {
  readonly store: (ref: StoreRef | undefined) => Promise<Fetched<SecretsClient>>
  readonly generate: (ref: GeneratorRef) => Promise<Fetched<SecretData>>
  readonly templates: TemplateEngine
  /** Hears which part found nothing, where that is no error. */
  readonly missed: (message: string) => void
}

/** The values that an ExternalSecret asks for: dataFrom in its order, then data, each over what was before. */
export async function fetchData(spec: ExternalSecretSpec, ways: Ways): Promise<Fetched<SecretData>> {
  const all = new Map<string, string>()
  // Where the Secret is kept whatever happens, a secret that is not there is an error.
  const mayMiss = spec.target.deletionPolicy !== 'Retain'
  for (const [index, item] of spec.dataFrom.entries()) {
    const { what, fetch } = partOf(item, spec, ways)
    const part = await fetch()
    if (part.ok) for (const [key, value] of part.value) all.set(key, value)
    else if (mayMiss && part.error.why === 'missing')
      ways.missed(`secret does not exist at provider using spec.dataFrom[${index}]`)
    else return within(`error processing spec.dataFrom[${index}]${what}`, part.error)
  }
  for (const [index, item] of spec.data.entries()) {
    const value = await fetchItem(item, spec, ways)
    const { key } = item.remoteRef
    if (value.ok) all.set(item.secretKey, value.value)
    else if (mayMiss && value.error.why === 'missing')
      ways.missed(`secret does not exist at provider using spec.data[${index}] (key=${key})`)
    else return within(`error processing spec.data[${index}] (key: ${key})`, value.error)
  }
  return succeed(all)
}

async function fetchItem(item: DataItem, spec: ExternalSecretSpec, ways: Ways): Promise<Fetched<string>> {
  if (item.namesGenerator) return failed('a generator makes several keys; name it in dataFrom')
  const client = await ways.store(item.store ?? spec.store)
  if (!client.ok) return client
  const { remoteRef } = item
  const value = await client.value.get(remoteRef)
  if (!value.ok) return value
  const decoded = decodeValue(remoteRef.decodingStrategy, value.value)
  if (!decoded.ok)
    return within(`error applying decoding strategy ${remoteRef.decodingStrategy} to data`, decoded.error)
  const checked = checkNullBytes(remoteRef.nullBytePolicy, new Map([[item.secretKey, decoded.value]]))
  return checked.ok ? decoded : checked
}

interface Part {
  readonly what: string
  readonly fetch: () => Promise<Fetched<SecretData>>
}

function partOf(item: DataFromItem, spec: ExternalSecretSpec, ways: Ways): Part {
  const { find, extract, generator } = item
  const ask = async (call: (client: SecretsClient) => Promise<Fetched<SecretData>>): Promise<Fetched<SecretData>> => {
    const client = await ways.store(item.store ?? spec.store)
    return client.ok ? call(client.value) : client
  }
  const asked = find ?? extract
  if (asked) {
    const call = find
      ? (client: SecretsClient) => client.find(find)
      : (client: SecretsClient) => client.getMap(extract ?? NOTHING)
    const fetch = async (): Promise<Fetched<SecretData>> => {
      const found = await ask(call)
      return found.ok ? prepared(item, found.value, ways.templates, asked) : found
    }
    return { what: find ? '.find' : '.extract', fetch }
  }
  const fetch = async (): Promise<Fetched<SecretData>> => {
    if (!generator) return failed('either extract, find, or sourceRef must be set to dataFrom')
    const made = await ways.generate(generator)
    return made.ok ? prepared(item, made.value, ways.templates, undefined) : made
  }
  return { what: '.sourceRef.generatorRef', fetch }
}

const NOTHING = {
  key: '',
  property: '',
  version: '',
  metadataPolicy: '',
  conversionStrategy: '',
  decodingStrategy: '',
  nullBytePolicy: '',
}

interface Strategies {
  readonly conversionStrategy: string
  readonly decodingStrategy: string
  readonly nullBytePolicy: string
}

/** Keys get their names, then values are decoded and looked at. */
function prepared(
  item: DataFromItem,
  found: SecretData,
  templates: TemplateEngine,
  strategies: Strategies | undefined,
): Fetched<SecretData> {
  const name = (template: string, key: string): Fetched<string> =>
    templates.renderWith('transform', template, new Map([['value', key]]))
  const renamed = rewrite(item.rewrite, found, name)
  if (!renamed.ok) return within('error applying rewrite to keys', renamed.error)
  const conversion = strategies?.conversionStrategy ?? ''
  const converted =
    strategies && item.rewrite.length === 0 ? withKeys(renamed.value, (key) => convertKey(conversion, key)) : renamed
  if (!converted.ok) return within(`error applying conversion strategy ${conversion} to keys`, converted.error)
  const checked = checkKeys(converted.value)
  if (!checked.ok)
    return within('invalid secret keys (TIP: use rewrite or conversionStrategy to change keys)', checked.error)
  if (!strategies) return checked
  const decoded = decodeData(strategies.decodingStrategy, checked.value)
  if (!decoded.ok)
    return within(`error applying decoding strategy ${strategies.decodingStrategy} to data`, decoded.error)
  return checkNullBytes(strategies.nullBytePolicy, decoded.value)
}
