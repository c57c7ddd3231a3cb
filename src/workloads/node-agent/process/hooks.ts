import { request } from 'node:http'
import type { Container } from '../../../kube/pod.ts'
import { portOf } from './probes.ts'

interface Hook {
  readonly exec?: { readonly command?: readonly string[] }
  readonly httpGet?: { readonly path?: string; readonly port: number | string; readonly host?: string }
  readonly sleep?: { readonly seconds?: number }
}

interface HookPorts {
  readonly container: Container
  readonly address: string
  readonly execute: (argv: readonly string[], signal: AbortSignal) => Promise<number>
}

/** Runs what is to happen after a container's start or before its end; answers why it failed, if it did. */
export async function runHook(
  hook: object,
  { container, address, execute }: HookPorts,
  signal: AbortSignal,
): Promise<string | undefined> {
  const { exec, httpGet, sleep } = hook as Hook // the API server has checked it
  if (exec) {
    const code = await execute(exec.command ?? [], signal)
    return code === 0 ? undefined : `the hook's command ended with ${code}`
  }
  if (sleep) {
    await execute(['sleep', String(sleep.seconds ?? 0)], signal)
    return undefined
  }
  if (!httpGet) return undefined
  return new Promise((resolve) => {
    const { path = '/', port, host = address } = httpGet
    const ask = request({ host, port: portOf(port, container), path, signal, agent: false })
    ask.on('error', (error) => resolve(`the hook's request failed: ${error.message}`))
    ask.on('response', (response) => {
      response.resume()
      resolve(undefined)
    })
    ask.end()
  })
}
