import {
  checkDns1035Label,
  checkDnsLabel,
  checkDnsSubdomain,
  checkLabelValue,
  checkQualifiedName,
  type NameCheck,
} from '../../../kube/names.ts'
import { formatCheck } from '../../../kube/schema/formats.ts'
import { PATTERN_FACTOR, sizeOf, STRING_FACTOR } from '../cost/size.ts'
import { type CostRule, type Library, overload } from '../library/library.ts'
import { opaque } from '../type.ts'
import { CelObject } from '../value/boxed.ts'
import { none, type Optional, some } from '../value/optional.ts'

const type = opaque('kubernetes.NamedFormat')

class FormatValue extends CelObject {
  readonly type = type
  readonly name: string
  readonly check: NameCheck
  readonly patternLength: number

  constructor(name: string, check: NameCheck, patternLength: number) {
    super()
    this.name = name
    this.check = check
    this.patternLength = patternLength
  }

  equals(other: unknown): boolean {
    return other instanceof FormatValue && this.name === other.name
  }

  toJson(): string {
    return this.name
  }
}

/** A prefix of generated names may end in a hyphen. */
const prefixOf =
  (check: NameCheck): NameCheck =>
  (text) =>
    check(text.endsWith('-') ? `${text.slice(0, -1)}a` : text)

function ofFormat(format: string, message: string): NameCheck {
  const check = formatCheck(format)
  return (text) => (check === undefined || check(text) ? [] : [message])
}

const formats: ReadonlyMap<string, FormatValue> = new Map(
  (
    [
      ['dns1123Label', checkDnsLabel, 30],
      ['dns1123Subdomain', checkDnsSubdomain, 60],
      ['dns1035Label', checkDns1035Label, 30],
      ['qualifiedName', checkQualifiedName, 60],
      ['dns1123LabelPrefix', prefixOf(checkDnsLabel), 30],
      ['dns1123SubdomainPrefix', prefixOf(checkDnsSubdomain), 60],
      ['dns1035LabelPrefix', prefixOf(checkDns1035Label), 30],
      ['labelValue', checkLabelValue, 40],
      ['uri', ofFormat('uri', 'invalid URI for request'), 1000],
      ['uuid', ofFormat('uuid', 'does not match the UUID format'), 100],
      ['byte', ofFormat('byte', 'invalid base64'), 100],
      ['date', ofFormat('date', 'invalid date'), 100],
      ['datetime', ofFormat('date-time', 'invalid datetime'), 100],
    ] as const
  ).map(([name, check, length]) => [name, new FormatValue(name, check, length)]),
)

function validate(format: FormatValue, text: string): Optional {
  const problems = format.check(text)
  return problems.length === 0 ? none : some(problems)
}

function named(name: string): Optional {
  const format = formats.get(name)
  return format ? some(format) : none
}

const validateCost: CostRule = (format, text) => {
  const length = format instanceof FormatValue ? format.patternLength : 0
  return Math.ceil((1 + sizeOf(text)) * STRING_FACTOR) * Math.ceil(length * PATTERN_FACTOR)
}

/** Named formats: `format.dns1123Label().validate(name)`. */
export const namedFormatLibrary: Library = {
  name: 'kubernetes.format',
  types: [type],
  overloads: [
    overload('format-named', 'format.named(string): optional<kubernetes.NamedFormat>', named),
    overload(
      'format-validate',
      'kubernetes.NamedFormat -> validate(string): optional<list<string>>',
      validate,
      validateCost,
    ),
    ...[...formats].map(([name, format]) =>
      overload(`format.${name}`, `format.${name}(): kubernetes.NamedFormat`, () => format),
    ),
  ],
}
