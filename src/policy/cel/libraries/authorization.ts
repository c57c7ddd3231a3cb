import { type Library, overload, type Overload } from '../../../lang/cel/library/library.ts'
import { type CelType, opaque } from '../../../lang/cel/type.ts'
import { CelObject } from '../../../lang/cel/value/boxed.ts'
import { EvaluationError } from '../../../lang/cel/error.ts'
import { isObject, own } from '../../../lib/json.ts'

/** What a policy for a proxy answers, as far as its verdict goes: headers and bodies are for the proxy. */
export class Answer extends CelObject {
  readonly type: CelType
  readonly isAllowed: boolean
  readonly because: string

  constructor(type: CelType, isAllowed: boolean, because: string) {
    super()
    this.type = type
    this.isAllowed = isAllowed
    this.because = because
  }

  equals(other: unknown): boolean {
    return other instanceof Answer && other.isAllowed === this.isAllowed && other.because === this.because
  }

  as(type: CelType): Answer {
    return new Answer(type, this.isAllowed, this.because)
  }
}

/** A header or parameter that is given to an answer. */
class Pair extends CelObject {
  readonly type: CelType

  constructor(type: CelType) {
    super()
    this.type = type
  }

  equals(other: unknown): boolean {
    return this === other
  }
}

const envoyOk = opaque('envoy.OkHttpResponse')
const envoyDenied = opaque('envoy.DeniedHttpResponse')
const header = opaque('envoy.HeaderValueOption')
const parameter = opaque('envoy.QueryParameter')
/** What expressions of policies for Envoy answer. */
export const envoyResponse: CelType = opaque('envoy.CheckResponse')

const same = (answer: unknown): unknown => answer

/** Functions that change what the proxy sends and not whether it does. */
const decorations = (type: CelType, names: Readonly<Record<string, readonly string[]>>): readonly Overload[] =>
  Object.entries(names).flatMap(([name, lists]) =>
    lists.map((args) =>
      overload(`${type.name}_${name}_${args}`, `${type.name} -> ${name}(${args}): ${type.name}`, same),
    ),
  )

/** `envoy.Allowed().Response()`, `envoy.Denied(403).WithBody("no").Response()` (kyverno-authz, pkg/cel/libs/authz/envoy). */
export const envoyLibrary: Library = {
  name: 'kyverno.authz.envoy',
  types: [envoyOk, envoyDenied, header, parameter, envoyResponse],
  overloads: [
    overload('allowed', `envoy.Allowed(): ${envoyOk.name}`, () => new Answer(envoyOk, true, 'request allowed')),
    overload(
      'denied',
      `envoy.Denied(int): ${envoyDenied.name}`,
      (code: number) => new Answer(envoyDenied, false, `request denied with status code ${code}`),
    ),
    overload('header_key_value', `envoy.Header(string, string): ${header.name}`, () => new Pair(header)),
    overload('queryparam_key_value', `envoy.QueryParam(string, string): ${parameter.name}`, () => new Pair(parameter)),
    ...decorations(envoyOk, {
      WithHeader: [header.name, 'string, string'],
      WithoutHeader: ['string'],
      WithResponseHeader: [header.name, 'string, string'],
      WithQueryParam: [parameter.name, 'string, string'],
      WithoutQueryParam: ['string'],
    }),
    ...decorations(envoyDenied, { WithBody: ['string'], WithHeader: [header.name, 'string, string'] }),
    ...decorations(header, { KeepEmptyValue: ['', 'bool'] }),
    ...decorations(envoyResponse, { WithMessage: ['string'], WithMetadata: ['dyn'] }),
    ...[envoyOk, envoyDenied].map((type) =>
      overload(`${type.name}_response`, `${type.name} -> Response(): ${envoyResponse.name}`, (answer: Answer) =>
        answer.as(envoyResponse),
      ),
    ),
  ],
}

const httpOk = opaque('http.CheckResponseOk')
const httpDenied = opaque('http.CheckResponseDenied')
/** What expressions of policies for HTTP servers answer. */
export const httpResponse: CelType = opaque('http.CheckResponse')

/** The values under a key of the request's headers or parameters; names of headers have no case. */
const valuesOf =
  (field: 'header' | 'query') =>
  (attributes: unknown, key: string): readonly unknown[] => {
    const all = isObject(attributes) ? own(attributes, field) : undefined
    if (!isObject(all)) return []
    const wanted = field === 'header' ? key.toLowerCase() : key
    const found = Object.entries(all).find(([name]) => (field === 'header' ? name.toLowerCase() : name) === wanted)
    if (!found) return []
    if (!Array.isArray(found[1])) throw new EvaluationError(`the ${field} ${key} of the request is not a list`)
    return found[1]
  }

/** `http.Allowed().Response()`, `http.Denied("no").Response()`, `object.attributes.Header("x")` (kyverno-authz, pkg/cel/libs/authz/http). */
export const httpServerLibrary: Library = {
  name: 'kyverno.authz.http',
  types: [httpOk, httpDenied, httpResponse],
  overloads: [
    overload('http_allowed', `http.Allowed(): ${httpOk.name}`, () => new Answer(httpOk, true, 'request allowed')),
    overload(
      'http_denied_string',
      `http.Denied(string): ${httpDenied.name}`,
      (reason: string) => new Answer(httpDenied, false, `request denied, reason: ${reason}`),
    ),
    overload('http_get_header_string', 'dyn -> Header(string): list<string>', valuesOf('header')),
    overload('http_get_queryparam_string', 'dyn -> QueryParam(string): list<string>', valuesOf('query')),
    ...[httpOk, httpDenied].map((type) =>
      overload(`${type.name}_response`, `${type.name} -> Response(): ${httpResponse.name}`, (answer: Answer) =>
        answer.as(httpResponse),
      ),
    ),
  ],
}
