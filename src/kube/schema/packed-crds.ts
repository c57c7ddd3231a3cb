import type { KubeObject } from '../object.ts'

/** The projects whose CustomResourceDefinitions come with the package. */
export const packedProjects = [
  'argo-cd',
  'argo-events',
  'argo-workflows',
  'cert-manager',
  'external-secrets',
  'gateway-api',
  'kyverno',
  'prometheus-operator',
  'pyrra',
  'trivy-operator',
] as const

export type PackedProject = (typeof packedProjects)[number]

const decoder = new TextDecoder()

/** The CustomResourceDefinition manifests of a project, parsed anew at each call: large, so keep what you need of them. */
export function packedCrds(readData: (name: string) => Uint8Array, project: PackedProject): readonly KubeObject[] {
  return JSON.parse(decoder.decode(readData(`crds/${project}`))) as readonly KubeObject[] // written by tools/generate-crds.ts
}
