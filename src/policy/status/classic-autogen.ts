import type { KubeObject } from '../../kube/object.ts'
import { autogenRules } from '../classic/autogen/autogen.ts'

type Fields = Readonly<Record<string, unknown>>

/** The rules that a classic policy has for Pod controllers beside those that are written. */
export const classicAutogenRules = (policy: KubeObject): readonly Fields[] => autogenRules(policy)
