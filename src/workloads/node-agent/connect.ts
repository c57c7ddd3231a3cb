import type { PodConnect } from '../../apiserver/pod-runtime.ts'
import type { Connection } from '../../apiserver/request.ts'
import { podSpecOf } from '../../kube/pod.ts'
import { type ApiResult, failure } from '../../kube/status.ts'
import { declarations, type NodeAgentOptions } from './node-agent.ts'
import { runtimeNameOf } from './observe.ts'

/** Reaches into a Pod through whatever runs it. */
export async function connectToPod(options: NodeAgentOptions, request: PodConnect): Promise<ApiResult<Connection>> {
  const { pod, kind } = request
  const { name = '' } = pod.metadata
  const { nodes, runtimes } = declarations(options)
  const { nodeName = '' } = podSpecOf(pod)
  const node = nodes.find((one) => one.name === nodeName)
  if (!node) {
    const because = nodeName === '' ? `pod ${name} is not placed on a node yet` : `node ${nodeName} runs elsewhere`
    return { ok: false, error: failure('BadRequest', `cannot ${kind}: ${because}`) }
  }
  const runtimeName = runtimeNameOf(pod, node)
  const runtime = runtimes.get(runtimeName)
  if (runtime?.connect) return runtime.connect(request)
  const cure = 'give it runtimeClassName: process and a command, so that it really runs'
  const message = `cannot ${kind}: pod ${name} is run by the runtime ${JSON.stringify(runtimeName)}, which only pretends to run it; ${cure}`
  return { ok: false, error: failure('BadRequest', message) }
}
