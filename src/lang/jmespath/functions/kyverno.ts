import { certificateFields } from '../../../lib/certificate-fields.ts'
import type { JsonObject } from '../../../lib/json.ts'
import { wrongValue } from '../error.ts'
import type { JmesPathFunctions } from '../function.ts'
import { textAt } from './argument.ts'
import { arithmeticFunctions } from './arithmetic.ts'
import { dataFunctions } from './data.ts'
import { isExternalUrl } from './external-url.ts'
import { normalizeImage } from './image.ts'
import { drawText } from './random.ts'
import { regexFunctions } from './regex.ts'
import { fn, specificationFunctions } from './specification.ts'
import { textFunctions } from './text.ts'
import { timeFunctions } from './time.ts'
import { isInRange } from './version-range.ts'

/** Every function that expressions in Kyverno 1.18 can call; those of Kyverno replace those of the language. */
export const kyvernoFunctions: JmesPathFunctions = new Map([
  ...specificationFunctions,
  ...textFunctions,
  ...regexFunctions,
  ...arithmeticFunctions,
  ...timeFunctions,
  ...dataFunctions,
  ['x509_decode', fn(['string'], (args) => decodeCertificate(textAt(args, 0)))],
  ['semver_compare', fn(['string', 'string'], (args) => isInRange(textAt(args, 0), textAt(args, 1)))],
  ['random', fn(['string'], (args, run) => drawText(textAt(args, 0), run))],
  ['image_normalize', fn(['string'], (args, { ports }) => normalizeImage(textAt(args, 0), ports))],
  ['is_external_url', fn(['string'], (args, { ports }) => isExternalUrl(textAt(args, 0), ports))],
])

function decodeCertificate(text: string): JsonObject {
  const read = certificateFields(text)
  if (!read.ok) throw wrongValue(`x509_decode(): ${read.error.map(({ message }) => message).join('; ')}`)
  return read.value
}
