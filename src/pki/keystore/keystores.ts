import type { SecretToWrite } from '../certificate/step.ts'

/** The keystores that a Certificate asks for, by the name of their value in the Secret. */
export async function keystoresOf(_secret: SecretToWrite, _nowMs: number): Promise<ReadonlyMap<string, Uint8Array>> {
  return new Map()
}
