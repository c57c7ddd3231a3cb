import { readFile } from 'node:fs/promises'
import { relative, resolve } from 'node:path'
import { type Problem, type Result, succeed } from '../lib/result.ts'
import { parseYaml } from '../lib/yaml.ts'
import type { NodeAgentOptions } from '../workloads/node-agent/node-agent.ts'
import { parseNodeSettings } from '../workloads/node-agent/node-pools.ts'

/** The settings of a platform, in the folder where it is worked on. */
const SETTINGS = 'idp.yaml'

/** Reads the nodes of a cluster from a file that was named, or from the settings of the folder where there are any. */
export async function readNodeSettings(folder: string, named: string | undefined): Promise<Result<NodeAgentOptions>> {
  const file = resolve(folder, named ?? SETTINGS)
  const shown = relative(folder, file) || file
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException // the error of a file system call
    if (code === 'ENOENT' && named === undefined) return succeed({})
    const message = `cannot read the nodes from ${JSON.stringify(shown)}: ${code ?? String(cause)}`
    return { ok: false, error: [{ code: 'node-settings-unreadable', message }] }
  }
  const parsed = parseYaml(text)
  const read = parsed.ok ? parseNodeSettings(parsed.value) : parsed
  return read.ok ? read : { ok: false, error: read.error.map((problem) => placed(problem, shown)) }
}

const placed = (problem: Problem, file: string): Problem => ({
  ...problem,
  at: [file, problem.at].filter(Boolean).join(': '),
})
