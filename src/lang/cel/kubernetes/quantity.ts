import {
  addQuantity,
  compareQuantity,
  formatQuantity,
  parseQuantity,
  type Quantity,
  quantityOf,
  subtractQuantity,
} from '../../../kube/quantity.ts'
import { traversal } from '../cost/size.ts'
import { EvaluationError } from '../error.ts'
import { type CostRule, type Library, overload } from '../library/library.ts'
import { opaque } from '../type.ts'
import { CelObject } from '../value/boxed.ts'
import { Double } from '../value/double.ts'
import { fromBigInt, INT_MAX, INT_MIN, type Int } from '../value/integer.ts'

const NANO = 1_000_000_000n
const once: CostRule = (text) => traversal(text)
const type = opaque('kubernetes.Quantity')

class QuantityValue extends CelObject {
  readonly type = type
  readonly quantity: Quantity

  constructor(quantity: Quantity) {
    super()
    this.quantity = quantity
  }

  equals(other: unknown): boolean {
    return other instanceof QuantityValue && compareQuantity(this.quantity, other.quantity) === 0
  }

  toJson(): string {
    return formatQuantity(this.quantity)
  }
}

function fromString(text: string): QuantityValue {
  const parsed = parseQuantity(text)
  if (!parsed.ok) throw new EvaluationError(parsed.error[0]?.message ?? 'the quantity cannot be read')
  return new QuantityValue(parsed.value)
}

/** The whole amount, or undefined when it is no 64-bit integer. */
function wholeOf({ quantity: { nano } }: QuantityValue): bigint | undefined {
  const whole = nano / NANO
  return nano % NANO === 0n && whole <= INT_MAX && whole >= INT_MIN ? whole : undefined
}

function asInteger(value: QuantityValue): Int {
  const whole = wholeOf(value)
  if (whole === undefined) throw new EvaluationError('cannot convert value to integer')
  return fromBigInt(whole)
}

const order = (a: QuantityValue, b: QuantityValue): number => Math.sign(compareQuantity(a.quantity, b.quantity))
const sign = ({ quantity: { nano } }: QuantityValue): number => (nano > 0n ? 1 : nano < 0n ? -1 : 0)
const ofInt = (value: Int): Quantity => quantityOf(Number(value), 'DecimalExponent')
const Q = 'kubernetes.Quantity'

/** Amounts of resources such as `500m` and `2Gi`. */
export const quantityLibrary: Library = {
  name: 'kubernetes.quantity',
  types: [type],
  overloads: [
    overload('string_to_quantity', `quantity(string): ${Q}`, fromString, once),
    overload('is_quantity_string', 'isQuantity(string): bool', (text: string) => parseQuantity(text).ok, once),
    overload('quantity_sign', `sign(${Q}): int`, sign),
    overload('quantity_sign_member', `${Q} -> sign(): int`, sign),
    overload(
      'quantity_is_greater_than',
      `${Q} -> isGreaterThan(${Q}): bool`,
      (a: QuantityValue, b: QuantityValue) => order(a, b) > 0,
    ),
    overload(
      'quantity_is_less_than',
      `${Q} -> isLessThan(${Q}): bool`,
      (a: QuantityValue, b: QuantityValue) => order(a, b) < 0,
    ),
    overload('quantity_compare_to', `${Q} -> compareTo(${Q}): int`, order),
    overload(
      'quantity_get_float',
      `${Q} -> asApproximateFloat(): double`,
      ({ quantity: { nano } }: QuantityValue) => new Double(Number(nano) / 1e9),
    ),
    overload('quantity_get_int', `${Q} -> asInteger(): int`, asInteger),
    overload(
      'quantity_is_integer',
      `${Q} -> isInteger(): bool`,
      (value: QuantityValue) => wholeOf(value) !== undefined,
    ),
    overload(
      'quantity_add',
      `${Q} -> add(${Q}): ${Q}`,
      (a: QuantityValue, b: QuantityValue) => new QuantityValue(addQuantity(a.quantity, b.quantity)),
    ),
    overload(
      'quantity_add_int',
      `${Q} -> add(int): ${Q}`,
      (a: QuantityValue, b: Int) => new QuantityValue(addQuantity(a.quantity, ofInt(b))),
    ),
    overload(
      'quantity_sub',
      `${Q} -> sub(${Q}): ${Q}`,
      (a: QuantityValue, b: QuantityValue) => new QuantityValue(subtractQuantity(a.quantity, b.quantity)),
    ),
    overload(
      'quantity_sub_int',
      `${Q} -> sub(int): ${Q}`,
      (a: QuantityValue, b: Int) => new QuantityValue(subtractQuantity(a.quantity, ofInt(b))),
    ),
  ],
}
