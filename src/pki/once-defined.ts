import { isTrue } from '../kube/condition.ts'
import type { KubeObject } from '../kube/object.ts'
import type { ControllerPart, ControllerPorts } from '../runtime/controller-part.ts'
import { type Controller, controllerLoop } from '../runtime/controller.ts'
import { done } from '../runtime/work-queue.ts'

const definitions = { group: 'apiextensions.k8s.io', version: 'v1', plural: 'customresourcedefinitions' }

/** Runs a part once the cluster serves a kind that it may never serve; until then nothing asks for it. */
export function onceDefined(
  ports: ControllerPorts,
  definition: string,
  make: (ports: ControllerPorts) => ControllerPart,
): ControllerPart {
  const informer = ports.informers.shared({
    collection: { resource: definitions },
    fieldSelector: `metadata.name=${definition}`,
  })
  let part: ControllerPart | undefined
  return {
    async run(signal) {
      let running: Promise<void> | undefined
      const waiting: Controller = {
        name: `wait-for-${definition}`,
        watches: [{ informer }],
        reconcile(key) {
          const found = informer.cache.get(key)
          if (!running && found && isEstablished(found)) {
            part = make(ports)
            running = part.run(signal)
          }
          return Promise.resolve(done)
        },
      }
      await controllerLoop(waiting, ports).run(signal)
      await running
    },
    pending: () => part?.pending() ?? [],
  }
}

function isEstablished(definition: KubeObject): boolean {
  const status = (definition['status'] ?? {}) as { readonly conditions?: Parameters<typeof isTrue>[0] } // checked by the API server
  return isTrue(status.conditions, 'Established')
}
