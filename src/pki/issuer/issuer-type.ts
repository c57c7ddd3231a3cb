import type { IssuerSpec } from '../objects.ts'

const types = ['acme', 'ca', 'vault', 'selfSigned', 'venafi'] as const

export type IssuerType = (typeof types)[number]

/** How an issuer signs; undefined where it says nothing. */
export const issuerType = (spec: IssuerSpec): IssuerType | undefined => types.find((type) => spec[type] !== undefined)
