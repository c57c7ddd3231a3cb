import type { KubeObject } from '../../../kube/object.ts'
import { isObject, own } from '../../../lib/json.ts'
import { parseYaml } from '../../../lib/yaml.ts'
import type { WorkloadPorts } from '../../pods/ports.ts'
import { parseRules, type SimulationRule } from './rules.ts'

/** The ConfigMap whose key `rules.yaml` says how containers behave, and can be changed at any time. */
export const RULES_KEY = 'kube-system/simulation'

/** Tells whether a ConfigMap is the one with the rules. */
export const holdsRules = ({ metadata }: KubeObject): boolean =>
  `${metadata.namespace ?? ''}/${metadata.name ?? ''}` === RULES_KEY

/** The rules of the ConfigMap before those of the settings. What cannot be read is told on it, and counts as no rules. */
export function liveRules(
  { caches, events }: Pick<WorkloadPorts, 'caches' | 'events'>,
  usual: readonly SimulationRule[],
): () => readonly SimulationRule[] {
  let version: string | undefined
  let rules = usual
  return () => {
    const found = caches.configMaps.cache.get(RULES_KEY)
    if (found?.metadata.resourceVersion === version) return rules
    version = found?.metadata.resourceVersion
    rules = usual
    if (!found) return rules
    const data = found['data']
    const text = isObject(data) ? own(data, 'rules.yaml') : undefined
    const parsed = parseYaml(typeof text === 'string' ? text : '')
    const read = parsed.ok ? parseRules(parsed.value, 'rules.yaml') : parsed
    if (read.ok) rules = [...read.value, ...usual]
    else {
      const message = read.error.map(({ at, message: because }) => [at, because].filter(Boolean).join(': ')).join('; ')
      events.note(found, { type: 'Warning', reason: 'InvalidSimulationRules', message })
    }
    return rules
  }
}
