import { Environment } from '../../lang/cel/environment.ts'
import { authorizerType, resourceCheckType } from '../../lang/cel/kubernetes/authorizer.ts'
import type { Library } from '../../lang/cel/library/library.ts'
import { kubernetesLibraries, libraries } from '../../lang/cel/libraries.ts'
import { type CelType, dynType } from '../../lang/cel/type.ts'
import { envoyLibrary, httpServerLibrary } from './libraries/authorization.ts'
import { AMBIENT, ambientType, chanceLibrary } from './libraries/chance.ts'
import { compatibilityLibrary } from './libraries/compatibility.ts'
import {
  gzipLibrary,
  hashLibrary,
  jsonLibrary,
  jsonType,
  roundLibrary,
  transformLibrary,
  userLibrary,
  yamlLibrary,
  yamlType,
} from './libraries/data.ts'
import { generatorLibrary, generatorType } from './libraries/generator.ts'
import { httpLibrary } from './libraries/http.ts'
import { imageLibrary } from './libraries/image.ts'
import { globalContextLibrary, imageDataLibrary } from './libraries/lookups.ts'
import { globalContextType, httpType, imageDataType, resourceType } from './libraries/outside.ts'
import { resourceLibrary } from './libraries/resource.ts'
import { x509Library } from './libraries/x509.ts'
import { exceptionsType, namespaceType, PolicyTypes, requestType, variablesType } from './types.ts'
import { remembered } from '../../lib/remembered.ts'

const named = (name: string): readonly Library[] => {
  const found = libraries.get(name)
  if (!found) throw new Error(`there is no CEL library ${name}`)
  return [found]
}

/** What every policy of the family can call, whatever its kind. */
const common: readonly Library[] = [
  ...kubernetesLibraries,
  ...['bindings', 'encoders', 'math', 'protos', 'regex', 'kubernetes.jsonpatch'].flatMap(named),
  compatibilityLibrary,
  chanceLibrary,
  gzipLibrary,
  hashLibrary,
  httpLibrary,
  globalContextLibrary,
  imageDataLibrary,
  imageLibrary,
  jsonLibrary,
  roundLibrary,
  transformLibrary,
  userLibrary,
  x509Library,
  yamlLibrary,
]

const MOST_NAMESPACES = 1_000

/** One list for each namespace, so that what the libraries hold is put together once. */
const librariesFor = remembered(MOST_NAMESPACES, (namespace: string): readonly Library[] => [
  ...common,
  resourceLibrary(namespace),
  generatorLibrary(namespace),
])

const variables: Readonly<Record<string, CelType>> = {
  object: dynType,
  oldObject: dynType,
  request: requestType,
  namespaceObject: namespaceType,
  variables: variablesType,
  exceptions: exceptionsType,
  resource: resourceType,
  http: httpType,
  globalContext: globalContextType,
  image: imageDataType,
  json: jsonType,
  yaml: yamlType,
  [AMBIENT]: ambientType,
}
const generating: Readonly<Record<string, CelType>> = { ...variables, generator: generatorType }

/** What the expressions of a policy may speak of. */
export interface PolicyEnvironment {
  readonly environment: Environment
  readonly types: PolicyTypes
}

/** The environment of a policy of Kyverno; policies in a namespace see nothing outside it. */
export function policyEnvironment(
  kind: 'validate' | 'mutate' | 'generate' | 'delete',
  namespace: string,
): PolicyEnvironment {
  const types = new PolicyTypes(kind === 'mutate' || kind === 'delete')
  const environment = new Environment({
    libraries: librariesFor(namespace),
    variables: kind === 'generate' ? generating : variables,
    messages: types,
    syntax: { quotedFields: false },
    // Generated resources mix types in one literal.
    isStrict: kind !== 'generate',
  })
  return { environment, types }
}

const proxies: Readonly<Record<'Envoy' | 'HTTP', readonly Library[]>> = {
  Envoy: [...common, resourceLibrary(''), envoyLibrary],
  HTTP: [...common, resourceLibrary(''), httpServerLibrary],
}

/** The environment of a policy that answers a proxy; its object is the proxy's request. */
export function proxyEnvironment(mode: 'Envoy' | 'HTTP', namespace: string): PolicyEnvironment {
  const types = new PolicyTypes(false)
  const libraries = namespace === '' ? proxies[mode] : [...proxies[mode], resourceLibrary(namespace)]
  return {
    environment: new Environment({
      libraries,
      variables,
      messages: types,
      syntax: { quotedFields: false },
      isStrict: true,
    }),
    types,
  }
}

const native: Readonly<Record<string, CelType>> = {
  object: dynType,
  oldObject: dynType,
  request: requestType,
  namespaceObject: namespaceType,
  variables: variablesType,
  params: dynType,
  authorizer: authorizerType,
  'authorizer.requestResource': resourceCheckType,
}
const nativeLibraries: readonly Library[] = [...kubernetesLibraries, ...named('kubernetes.jsonpatch')]

/** The environment of the API server's own admission policies. */
export function nativeEnvironment(mutates: boolean): PolicyEnvironment {
  const types = new PolicyTypes(mutates)
  const environment = new Environment({
    libraries: nativeLibraries,
    variables: native,
    messages: types,
    syntax: { quotedFields: false },
    isStrict: true,
  })
  return { environment, types }
}
