import type { KubeObject } from '../../kube/object.ts'

type Fields = Readonly<Record<string, unknown>>

/** The rules that a classic policy has for Pod controllers beside those that are written. */
export const classicAutogenRules = (_policy: KubeObject): readonly Fields[] => []
