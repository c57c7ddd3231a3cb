import type { KubeObject } from '../../kube/object.ts'
import { annotationOf, listAnnotation } from './annotation-options.ts'

/** When a sync does something. */
export type SyncPhase = 'PreSync' | 'Sync' | 'PostSync' | 'SyncFail'
/** When the deletion of an Application does something. */
export type DeletePhase = 'PreDelete' | 'PostDelete'
export type DeletePolicy = 'BeforeHookCreation' | 'HookSucceeded' | 'HookFailed'

export const HOOK = 'argocd.argoproj.io/hook'
export const HOOK_DELETE_POLICY = 'argocd.argoproj.io/hook-delete-policy'
export const HELM_HOOK = 'helm.sh/hook'
const HELM_HOOK_DELETE_POLICY = 'helm.sh/hook-delete-policy'
/** Keeps a hook from going before its result was seen. */
export const HOOK_FINALIZER = 'argocd.argoproj.io/hook-finalizer'
const SYNC_WAVE = 'argocd.argoproj.io/sync-wave'
const HELM_HOOK_WEIGHT = 'helm.sh/hook-weight'

type HookType = SyncPhase | 'Skip'

const hookTypes: readonly HookType[] = ['PreSync', 'Sync', 'PostSync', 'SyncFail', 'Skip']
const helmTypes: ReadonlyMap<string, SyncPhase> = new Map([
  ['pre-install', 'PreSync'],
  ['pre-upgrade', 'PreSync'],
  ['post-upgrade', 'PostSync'],
  ['post-install', 'PostSync'],
])
const deletePolicies: readonly DeletePolicy[] = ['BeforeHookCreation', 'HookSucceeded', 'HookFailed']
const helmPolicies: ReadonlyMap<string, DeletePolicy> = new Map([
  ['before-hook-creation', 'BeforeHookCreation'],
  ['hook-succeeded', 'HookSucceeded'],
  ['hook-failed', 'HookFailed'],
])

/** What kinds of hook an object is; Helm's annotation counts where Argo CD's names none that is known. */
function typesOf(object: KubeObject): readonly HookType[] {
  const named = listAnnotation(object, HOOK)
  const types = hookTypes.filter((type) => named.includes(type))
  if (types.length > 0) return types
  return [...new Set(listAnnotation(object, HELM_HOOK).flatMap((type) => helmTypes.get(type) ?? []))]
}

/** An object that is never synced: its only hook is Skip. */
export function isSkipped(object: KubeObject): boolean {
  const types = typesOf(object)
  return types.length === 1 && types[0] === 'Skip'
}

/** A hook is run at its time instead of being kept in the cluster. */
export function isHook(object: KubeObject): boolean {
  if (annotationOf(object, HOOK) !== undefined) return !isSkipped(object)
  const helm = annotationOf(object, HELM_HOOK)
  // Charts of Helm 2 delivered their definitions so; they are ordinary objects now.
  return helm !== undefined && helm !== 'crd-install'
}

/** In which phases of a sync an object has its place; an ordinary one is synced, an unknown hook nowhere. */
export function phasesOf(object: KubeObject): readonly SyncPhase[] {
  if (isSkipped(object)) return []
  if (!isHook(object)) return ['Sync']
  return typesOf(object).filter((type) => type !== 'Skip')
}

/** A hook of no type that is known here, such as Helm's `test`: nobody runs it. */
export function isIgnoredHook(object: KubeObject): boolean {
  return isHook(object) && typesOf(object).length === 0
}

const deleteTypes: Readonly<Record<DeletePhase, string>> = { PreDelete: 'pre-delete', PostDelete: 'post-delete' }

/** Tells whether an object is run before or after the objects of a deleted Application go. */
export function isDeleteHook(object: KubeObject | undefined, phase: DeletePhase): boolean {
  return listAnnotation(object, HOOK).includes(phase) || listAnnotation(object, HELM_HOOK).includes(deleteTypes[phase])
}

/** When a hook is deleted again; before its next run, when it does not say. */
export function deletePoliciesOf(object: KubeObject): readonly DeletePolicy[] {
  const named = listAnnotation(object, HOOK_DELETE_POLICY)
  const policies = [
    ...deletePolicies.filter((policy) => named.includes(policy)),
    ...listAnnotation(object, HELM_HOOK_DELETE_POLICY).flatMap((policy) => helmPolicies.get(policy) ?? []),
  ]
  return policies.length > 0 ? policies : ['BeforeHookCreation']
}

const INTEGER = /^[+-]?\d{1,15}$/

function integerOf(text: string | undefined): number | undefined {
  return text !== undefined && INTEGER.test(text) ? Number(text) : undefined
}

/** The wave of an object: its own, or the weight of a Helm hook, or 0. */
export function waveOf(object: KubeObject): number {
  return integerOf(annotationOf(object, SYNC_WAVE)) ?? integerOf(annotationOf(object, HELM_HOOK_WEIGHT)) ?? 0
}
