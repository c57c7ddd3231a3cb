import { EvaluationError } from '../../../lang/cel/error.ts'
import { type Library, overload, type Overload } from '../../../lang/cel/library/library.ts'
import type { MapValue } from '../../../lang/cel/value/map.ts'
import { httpType, Outside, plainData, textMap, valueOf } from './outside.ts'

interface Call {
  readonly method: 'GET' | 'POST'
  readonly url: string
  readonly body?: unknown
  readonly headers?: MapValue | undefined
}

function call(self: Outside, { method, url, body, headers }: Call): unknown {
  return valueOf(
    self,
    {
      what: 'http',
      method,
      url,
      ...(headers ? { headers: textMap(headers) } : {}),
      ...(method === 'POST' ? { body: plainData(body) } : {}),
      ...(self.caBundle === undefined ? {} : { caBundle: self.caBundle }),
    },
    'request failed',
  )
}

const C = httpType.name
const HEADERS = 'map<string, string>'

function clientOf(self: Outside, caBundle: string): Outside {
  if (caBundle === '') return self
  if (!caBundle.includes('-----BEGIN CERTIFICATE-----'))
    throw new EvaluationError('request failed: failed to parse PEM CA bundle for APICall')
  return new Outside(httpType, self.asker, caBundle)
}

const spelled = (get: string, post: string, client: string): readonly Overload[] => [
  overload(`http_${get}_string`, `${C} -> ${get}(string): any`, (self: Outside, url: string) =>
    call(self, { method: 'GET', url }),
  ),
  overload(
    `http_${get}_string_headers`,
    `${C} -> ${get}(string, ${HEADERS}): any`,
    (self: Outside, url: string, headers: MapValue) => call(self, { method: 'GET', url, headers }),
  ),
  overload(
    `http_${post}_string_any`,
    `${C} -> ${post}(string, any): any`,
    (self: Outside, url: string, body: unknown) => call(self, { method: 'POST', url, body }),
  ),
  overload(
    `http_${post}_string_any_headers`,
    `${C} -> ${post}(string, any, ${HEADERS}): any`,
    (self: Outside, url: string, body: unknown, headers: MapValue) =>
      call(self, { method: 'POST', url, body, headers }),
  ),
  overload(`http_${client}_string`, `${C} -> ${client}(string): ${C}`, clientOf),
]

/** `http.get(url)`, `http.post(url, body)`, `http.client(caBundle)`. */
export const httpLibrary: Library = {
  name: 'kyverno.http',
  types: [httpType],
  overloads: [...spelled('Get', 'Post', 'Client'), ...spelled('get', 'post', 'client')],
}
