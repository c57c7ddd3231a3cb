import { readFile } from 'node:fs/promises'
import { relative, resolve } from 'node:path'
import { fail, type Result, succeed } from '../../lib/result.ts'
import { parseYaml } from '../../lib/yaml.ts'
import {
  type PlatformSettings,
  readSettings,
  SETTINGS_FILE,
  usualSettings,
} from '../../render/settings/read-settings.ts'
import type { NodeAgentOptions } from '../../workloads/node-agent/node-agent.ts'
import { parseNodeSettings } from '../../workloads/node-agent/node-pools.ts'

/** What a platform's file says: its settings, and the nodes of its embedded cluster. */
export interface PlatformFile {
  readonly settings: PlatformSettings
  readonly nodes: NodeAgentOptions
}

/** Reads all of `idp.yaml`: as the schema says, and nodes and simulation as the cluster understands them. */
export function readPlatform(text: string, file: string = SETTINGS_FILE): Result<PlatformFile> {
  const settings = readSettings(text, file)
  if (!settings.ok) return settings
  const raw = parseYaml(text, { file })
  const nodes = raw.ok ? parseNodeSettings(raw.value) : raw
  if (nodes.ok) return succeed({ settings: settings.value, nodes: nodes.value })
  return fail(...nodes.error.map((problem) => ({ ...problem, at: [file, problem.at].filter(Boolean).join(': ') })))
}

/** Reads `idp.yaml` of a folder, or a file that was named. A folder without one has the usual settings. */
export async function readPlatformFile(folder: string, named?: string): Promise<Result<PlatformFile>> {
  const path = resolve(folder, named ?? SETTINGS_FILE)
  const file = relative(folder, path) || path
  try {
    return readPlatform(await readFile(path, 'utf8'), file)
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException // the error of a file system call
    if (code === 'ENOENT' && named === undefined) return succeed({ settings: usualSettings(), nodes: {} })
    if (code === undefined) throw cause
    const message = `cannot read the settings from ${JSON.stringify(file)}: ${code}`
    return fail({ code: 'settings-unreadable', message })
  }
}
