import { traversal } from '../../../lang/cel/cost/size.ts'
import { EvaluationError } from '../../../lang/cel/error.ts'
import { type CostRule, type Library, overload } from '../../../lang/cel/library/library.ts'
import { certificateFields } from '../../../lib/certificate-fields.ts'
import { withDoubles } from './data.ts'

const once: CostRule = (text) => traversal(text)

function decode(text: string): unknown {
  const read = certificateFields(text)
  if (!read.ok) throw new EvaluationError(read.error.map(({ message }) => message).join('; '))
  return withDoubles(read.value)
}

/** `x509.decode(pem)`: the fields of a certificate or certificate request. */
export const x509Library: Library = {
  name: 'kyverno.x509',
  overloads: [overload('x509_decode_string', 'x509.decode(string): dyn', decode, once)],
}
