import { argoChecks } from './checks/argo.ts'
import { clusterChecks } from './checks/clusters.ts'
import { crossplaneChecks, crossplaneGroups } from './checks/crossplane.ts'
import { fluxChecks } from './checks/flux.ts'
import { gatewayChecks, gatewayGroups } from './checks/gateway.ts'
import { kruiseChecks } from './checks/kruise.ts'
import { kubernetesChecks } from './checks/kubernetes.ts'
import { numaprojChecks } from './checks/numaproj.ts'
import { promoterChecks } from './checks/promoter.ts'
import { serviceChecks, serviceGroups } from './checks/services.ts'
import { simpleChecks } from './checks/simple.ts'
import { storageChecks } from './checks/storage.ts'
import type { Check, CheckTable } from './notation.ts'

/** Our own checks for the kinds that upstream bundles one for (argo-cd 3.x, resource_customizations), and a few more. */
const byKind: ReadonlyMap<string, Check> = tableOf([
  argoChecks,
  clusterChecks,
  crossplaneChecks,
  fluxChecks,
  gatewayChecks,
  kruiseChecks,
  kubernetesChecks,
  numaprojChecks,
  promoterChecks,
  serviceChecks,
  simpleChecks,
  storageChecks,
])

/** Checks of every kind of a group: `group/*`, or `*.group/*` for the groups below it; the first in this order. */
const byGroup: ReadonlyMap<string, Check> = tableOf([crossplaneGroups, gatewayGroups, serviceGroups])

function tableOf(tables: readonly CheckTable[]): ReadonlyMap<string, Check> {
  return new Map(tables.flatMap((table) => Object.entries(table)))
}

/** The check that belongs to a kind, or to all kinds of its group. */
export function customCheck(group: string, kind: string): Check | undefined {
  const exact = byKind.get(group === '' ? kind : `${group}/${kind}`)
  if (exact || group === '') return exact
  const whole = byGroup.get(`${group}/*`)
  if (whole) return whole
  for (let dot = group.indexOf('.'); dot >= 0; dot = group.indexOf('.', dot + 1)) {
    const found = byGroup.get(`*${group.slice(dot)}/*`)
    if (found) return found
  }
  return undefined
}

/** Every kind, and every `group/*`, that has a check here, sorted. */
export function customCheckKeys(): readonly string[] {
  return [...byKind.keys(), ...byGroup.keys()].toSorted()
}
