import { readData } from '../../lib/data-file.ts'
import { memoryTree } from '../../lib/file-tree.ts'
import { isObject } from '../../lib/json.ts'
import { fail, type Result, succeed } from '../../lib/result.ts'
import { buildKustomization, kindTable, type KustomizeOptions } from '../../render/kustomize/build-kustomization.ts'
import type { EvalRequest } from './ops.ts'

let table: ReturnType<typeof kindTable> | undefined

/** The op `kustomize`: `{files, path, flags}` to `{yaml, warnings, reads}`. */
export function evaluate({ files, path, flags }: EvalRequest): Result<unknown> {
  if (!isObject(files))
    return fail({ code: 'eval-files-invalid', at: 'files', message: 'files must be a map of texts' })
  const tree = memoryTree(Object.fromEntries(Object.entries(files).map(([name, text]) => [clean(name), bytes(text)])))
  const words = Array.isArray(flags) ? flags.map(String) : []
  const at = typeof path === 'string' ? path : ''
  const built = buildKustomization(tree, at.replace(/^\/+/, ''), optionsOf(words))
  return built.ok
    ? succeed({ yaml: built.value.text, warnings: built.value.warnings, reads: built.value.reads })
    : built
}

const clean = (name: string): string => name.replace(/^(?:\.?\/)+/, '')

function bytes(text: unknown): string | Uint8Array {
  const plain = String(text)
  return plain.startsWith('base64:') ? Buffer.from(plain.slice(7), 'base64') : plain
}

function optionsOf(flags: readonly string[]): KustomizeOptions {
  const valueOf = (name: string): string | undefined => {
    const index = flags.findIndex((flag) => flag === name || flag.startsWith(`${name}=`))
    const flag = flags[index]
    return flag === undefined ? undefined : flag.includes('=') ? flag.slice(name.length + 1) : (flags[index + 1] ?? '')
  }
  return {
    table: (table ??= kindTable(readData)),
    loadRestrictor: valueOf('--load-restrictor') === 'LoadRestrictionsNone' ? 'none' : 'rootOnly',
    reorder: valueOf('--reorder') === 'none' ? 'none' : 'legacy',
    addManagedByLabel: flags.includes('--enable-managedby-label'),
  }
}
