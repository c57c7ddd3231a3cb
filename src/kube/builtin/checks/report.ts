import { isEqual } from '../../../lib/json.ts'
import { checkDnsSubdomain, checkLabelValue, checkQualifiedName, type NameCheck } from '../../names.ts'
import { parseQuantity, type Quantity } from '../../quantity.ts'
import { type FieldError, forbidden, invalid, notSupported, required } from '../../schema/field-error.ts'
import { checkLabels } from '../../schema/object-meta.ts'
import { type Fields, fieldsOf, listOf } from '../defaulting.ts'

/** A part of an object that is being checked: its fields, where they are, and where problems go. */
export class Part {
  readonly fields: Fields
  readonly at: string
  readonly problems: FieldError[]

  constructor(value: unknown, at: string, problems: FieldError[]) {
    this.fields = fieldsOf(value)
    this.at = at
    this.problems = problems
  }

  /** The path of a field of this part. */
  place(name: string): string {
    return this.at === '' ? name : `${this.at}.${name}`
  }

  has(name: string): boolean {
    return this.fields[name] !== undefined
  }

  text(name: string): string {
    const value = this.fields[name]
    return typeof value === 'string' ? value : ''
  }

  number(name: string): number | undefined {
    const value = this.fields[name]
    return typeof value === 'number' ? value : undefined
  }

  list(name: string): readonly unknown[] {
    return listOf(this.fields[name])
  }

  /** A field that is an object, present or not. */
  part(name: string): Part {
    return new Part(this.fields[name], this.place(name), this.problems)
  }

  /** The items of a list of objects. */
  parts(name: string): readonly Part[] {
    return this.list(name).map((item, index) => new Part(item, `${this.place(name)}[${index}]`, this.problems))
  }

  invalid(name: string, because: string, value: unknown = this.fields[name]): void {
    this.problems.push(invalid(name === '' ? this.at : this.place(name), value ?? '', because))
  }

  required(name: string, because: string = ''): void {
    this.problems.push(required(name === '' ? this.at : this.place(name), because))
  }

  forbidden(name: string, because: string): void {
    this.problems.push(forbidden(name === '' ? this.at : this.place(name), because))
  }

  /** A text that must be there, and must be accepted when it is. */
  name(name: string, check: NameCheck = checkDnsSubdomain, isRequired: boolean = true): void {
    const text = this.text(name)
    if (text === '') {
      if (isRequired) this.required(name)
      return
    }
    for (const because of check(text)) this.invalid(name, because)
  }

  /** One of a few words; absent is fine unless it is required. */
  oneOf(name: string, words: readonly string[], isRequired: boolean = false): void {
    const text = this.text(name)
    if (text === '') {
      if (isRequired) this.required(name)
    } else if (!words.includes(text)) this.problems.push(notSupported(this.place(name), text, words))
  }

  notNegative(...names: readonly string[]): void {
    for (const name of names) {
      if ((this.number(name) ?? 0) < 0) this.invalid(name, 'must be greater than or equal to 0')
    }
  }

  positive(...names: readonly string[]): void {
    for (const name of names) {
      if ((this.number(name) ?? 1) <= 0) this.invalid(name, 'must be greater than 0')
    }
  }

  between(name: string, least: number, most: number): void {
    const value = this.number(name)
    if (value !== undefined && (value < least || value > most)) {
      this.invalid(name, `must be between ${least} and ${most}, inclusive`)
    }
  }

  /** Two fields of which at most one may be set. */
  exclusive(a: string, b: string, because: string): void {
    if (this.has(a) && this.has(b)) this.forbidden(b, because)
  }

  labels(name: string): void {
    this.problems.push(...checkLabels(this.fields[name], this.place(name)))
  }

  /** A field that must stay as it was. */
  fixed(name: string, old: Part, because: string = 'field is immutable'): void {
    if (!isEqual(this.fields[name], old.fields[name])) this.invalid(name, because)
  }
}

const operators: readonly string[] = ['In', 'NotIn', 'Exists', 'DoesNotExist']

/** A label selector as objects carry it. */
export function checkSelector(selector: Part): void {
  const labels = fieldsOf(selector.fields['matchLabels'])
  for (const [key, value] of Object.entries(labels)) {
    for (const because of checkQualifiedName(key)) selector.invalid('matchLabels', because, key)
    for (const because of typeof value === 'string' ? checkLabelValue(value) : []) {
      selector.invalid(`matchLabels[${key}]`, because, value)
    }
  }
  for (const rule of selector.parts('matchExpressions')) {
    const operator = rule.text('operator')
    const isSet = operator === 'In' || operator === 'NotIn'
    if (isSet && rule.list('values').length === 0) {
      rule.required('values', "must be specified when `operator` is 'In' or 'NotIn'")
    } else if (!isSet && rule.list('values').length > 0) {
      rule.forbidden('values', "may not be specified when `operator` is 'Exists' or 'DoesNotExist'")
    }
    if (!operators.includes(operator)) rule.invalid('operator', 'not a valid selector operator', operator)
    for (const because of checkQualifiedName(rule.text('key'))) rule.invalid('key', because)
  }
}

/** Tells whether a selector says anything. */
export const isEmptySelector = (selector: Part): boolean =>
  Object.keys(fieldsOf(selector.fields['matchLabels'])).length === 0 && selector.list('matchExpressions').length === 0

/** A number, or a share in percent. */
export function checkCountOrPercent(part: Part, name: string): void {
  const value = part.fields[name]
  if (typeof value === 'number') part.notNegative(name)
  else if (typeof value === 'string' && !/^\d+%$/.test(value)) {
    part.invalid(
      name,
      "a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%', or '93%')",
    )
  }
}

/** A share of more than the whole. */
export function checkAtMostWhole(part: Part, name: string): void {
  const value = part.fields[name]
  if (typeof value === 'string' && /^\d+%$/.test(value) && Number.parseInt(value, 10) > 100) {
    part.invalid(name, 'must not be greater than 100%')
  }
}

/** A port by number or by name. */
export function checkPort(part: Part, name: string, checkName: NameCheck): void {
  const value = part.fields[name]
  if (typeof value === 'string') for (const because of checkName(value)) part.invalid(name, because)
  else if (typeof value === 'number' && (value < 1 || value > 65_535)) {
    part.invalid(name, 'must be between 1 and 65535, inclusive')
  }
}

/** The amounts of a resource list; what cannot be read was refused before. */
export function amountsIn(value: unknown): ReadonlyMap<string, Quantity> {
  const found = new Map<string, Quantity>()
  for (const [name, text] of Object.entries(fieldsOf(value))) {
    const parsed = parseQuantity(typeof text === 'number' ? String(text) : typeof text === 'string' ? text : '')
    if (parsed.ok) found.set(name, parsed.value)
  }
  return found
}

/** Resources that need no domain before their name. */
const plainResources: readonly string[] = ['cpu', 'memory', 'ephemeral-storage', 'storage', 'pods']

/** Amounts of named resources: none is negative, and their names are known or have a domain. */
export function checkAmounts(part: Part, name: string, isKnown: (resource: string) => boolean = () => false): void {
  for (const [resource, amount] of amountsIn(part.fields[name])) {
    if (amount.nano < 0n) {
      part.invalid(`${name}[${resource}]`, 'must be greater than or equal to 0', fieldsOf(part.fields[name])[resource])
    }
    for (const because of checkQualifiedName(resource)) part.invalid(name, because, resource)
    const isStandard = plainResources.includes(resource) || resource.includes('/') || resource.startsWith('hugepages-')
    if (!isStandard && !isKnown(resource)) {
      part.invalid(name, 'must be a standard resource type or fully qualified', resource)
    }
  }
}
