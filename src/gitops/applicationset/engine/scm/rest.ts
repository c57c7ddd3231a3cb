import { isObject } from '../../../../lib/json.ts'
import { type Result, succeed } from '../../../../lib/result.ts'
import { fieldsOf, isSet, textOf } from '../../../fields.ts'
import { type Fields, type GeneratorContext, refuse } from '../generator.ts'
import type { HttpNeed, HttpPage, Outcome } from '../need.ts'

/** A service of source code as a generator asks it. */
export interface Rest {
  /** One page; a status of 400 and more is left to the caller. */
  get(path: string): Outcome<HttpPage>
  /** All items of a list, page by page. */
  all(path: string): Outcome<Listed>
}

/** A list, or the status that refused it. */
export type Listed =
  | { readonly found: true; readonly items: readonly Fields[] }
  | { readonly found: false; readonly status: number }

const MOST_PAGES = 1_000

/** A way to a service: where its API is, and with which Secret to ask. */
export function restOf(service: HttpNeed['service'], api: string, spec: Fields, { lookup }: GeneratorContext): Rest {
  const tokenRef = fieldsOf(spec, 'tokenRef')
  const caRef = fieldsOf(spec, 'caRef')
  const secret = textOf(tokenRef, 'secretName')
  const appSecret = textOf(spec, 'appSecretName')
  const access = {
    ...(secret === '' ? {} : { token: { secret, key: textOf(tokenRef, 'key') } }),
    ...(appSecret === '' ? {} : { appSecret }),
    ...(isSet(spec, 'insecure') ? { isInsecure: true } : {}),
    ...(textOf(caRef, 'configMapName') === ''
      ? {}
      : { ca: { configMap: textOf(caRef, 'configMapName'), key: textOf(caRef, 'key') } }),
  }
  const page = (url: string): Outcome<HttpPage> => {
    const answer = lookup.ask({ need: 'http', service, url, ...access })
    return answer as Outcome<HttpPage> // whoever answers an http need answers a page
  }
  return {
    get: (path) => page(api + path),
    all(path) {
      const items: Fields[] = []
      let url: string | undefined = api + path
      for (let pages = 0; url !== undefined; pages++) {
        if (pages === MOST_PAGES) return refuse(`${service} has more than ${MOST_PAGES} pages of ${path}`)
        const answer: Outcome<HttpPage> = page(url)
        if (!answer?.ok) return answer
        const { status, body, next } = answer.value
        if (status >= 400) return succeed({ found: false, status })
        if (!Array.isArray(body)) return refuse(`${service} answers ${path} with something else than a list`)
        items.push(...body.filter(isObject))
        url = next
      }
      return succeed({ found: true, items })
    },
  }
}

/** What upstream's clients say of a status that is no success. */
export const refusedBy = (service: string, status: number): Result<never> =>
  refuse(`${service} answers with status ${status}`)

/** A part of a path. */
export const segment = (text: string): string => encodeURIComponent(text)

/** A path whose slashes stay. */
export const pathText = (text: string): string => text.split('/').map(segment).join('/')
