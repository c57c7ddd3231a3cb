import type { Library } from '../../../lang/cel/library/library.ts'

export const x509Library: Library = { name: 'kyverno.x509' }
