/** CEL with Kubernetes' libraries: compile once, evaluate many times, under a cost budget. */
export { compile } from '../lang/cel/cel.ts'
export { Environment, type EnvironmentOptions } from '../lang/cel/environment.ts'
export { kubernetesEnvironment } from '../lang/cel/kubernetes/environment.ts'
export { libraries } from '../lang/cel/libraries.ts'
export type { Bindings, Budget, Outcome, Program } from '../lang/cel/program.ts'
export { boolType, type CelType, doubleType, dynType, intType, listOf, mapOf, stringType } from '../lang/cel/type.ts'
export { renderJson } from '../lang/cel/wire/render.ts'
export type { Problem, Result } from '../lib/result.ts'
