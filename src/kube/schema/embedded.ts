import { isObject } from '../../lib/json.ts'
import { checkDns1035Label } from '../names.ts'
import { invalid, required } from './field-error.ts'
import { report, type Validation, type Validator } from './validation.ts'

function checkText(
  value: Readonly<Record<string, unknown>>,
  name: 'apiVersion' | 'kind',
  walk: Validation,
  refusal: (text: string) => string | undefined,
): void {
  walk.trail.push(name)
  const text = Object.hasOwn(value, name) ? value[name] : undefined
  if (text === undefined) report(walk, (at) => required(at))
  else if (typeof text !== 'string') report(walk, (at) => invalid(at, text, 'must be a string'))
  else if (text === '') report(walk, (at) => invalid(at, text, 'must not be empty'))
  else {
    const because = refusal(text)
    if (because !== undefined) report(walk, (at) => invalid(at, text, because))
  }
  walk.trail.pop()
}

const kindRefusal = (kind: string): string | undefined => {
  const because = checkDns1035Label(kind.toLowerCase())
  return because.length > 0 ? `may have mixed case, but should otherwise match: ${because.join(',')}` : undefined
}

/** What an object inside another must have: a version, a kind, and metadata that is an object. */
export const embeddedCheck: Validator<Readonly<Record<string, unknown>>> = (value, walk) => {
  checkText(value, 'apiVersion', walk, (text) =>
    text.split('/').length > 2 ? `unexpected GroupVersion string: ${text}` : undefined,
  )
  checkText(value, 'kind', walk, kindRefusal)
  if (!Object.hasOwn(value, 'metadata') || isObject(value['metadata'])) return
  walk.trail.push('metadata')
  report(walk, (at) => invalid(at, value['metadata'], 'must be an object'))
  walk.trail.pop()
}
