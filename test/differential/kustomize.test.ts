import { execFile, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, test } from 'vitest'
import { readData } from '../../src/lib/data-file.ts'
import { memoryTree } from '../../src/lib/file-tree.ts'
import { buildKustomization, kindTable } from '../../src/render/kustomize/build-kustomization.ts'
import { readWanted, readCases, type KustomizeCase } from './kustomize-cases.ts'

// Small kustomizations next to what the real program prints: the installed one (`kubectl kustomize`) where there is one,
// the committed answers of 5.6.0 elsewhere. UPDATE_GOLDEN=1 writes those anew.

const folder = join(import.meta.dirname, 'testdata', 'kustomize')
const table = kindTable(readData)
const run = promisify(execFile)

/** Cases in which a newer release than the one of the oracle is followed; their answers are written by hand. */
const newer: ReadonlySet<string> = new Set(['replacements: a field of a JSON text', 'replacements: a fixed value'])

function oracle(): string | undefined {
  const sdk = '/usr/lib/google-cloud-sdk/bin/kubectl.1.33'
  for (const program of [process.env['KUBECTL'] ?? 'kubectl', sdk]) {
    const asked = spawnSync(program, ['version', '--client', '-o', 'json'], { encoding: 'utf8' })
    if (asked.status === 0 && /"kustomizeVersion":\s*"v5\.6/.test(asked.stdout)) return program
  }
  return undefined
}

const kubectl = process.env['IDP_ORACLES'] === '0' ? undefined : oracle()

/** What is printed, or `error`: messages are not compared. */
function ours({ files, path }: KustomizeCase): string {
  const built = buildKustomization(memoryTree(files), path, { table })
  return built.ok ? built.value.text : 'error\n'
}

async function theirs({ files, path }: KustomizeCase, program: string): Promise<string> {
  const root = mkdtempSync(join(tmpdir(), 'idp-kustomize-'))
  try {
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(dirname(join(root, name)), { recursive: true })
      writeFileSync(join(root, name), text)
    }
    const { stdout } = await run(program, ['kustomize', join(root, path)])
    return stdout
  } catch {
    return 'error\n'
  } finally {
    rmSync(root, { recursive: true })
  }
}

for (const file of readdirSync(folder).filter((name) => name.endsWith('.txt'))) {
  const topic = file.slice(0, -4)
  const cases = readCases(readFileSync(join(folder, file), 'utf8'))
  const golden = join(folder, `${topic}.want`)
  const wanted = existsSync(golden) ? readWanted(readFileSync(golden, 'utf8')) : new Map<string, string>()
  if (process.env['UPDATE_GOLDEN'] && !process.env['CI'] && kubectl) {
    for (const one of cases) {
      const kept = newer.has(`${topic}: ${one.name}`) ? (wanted.get(one.name) ?? '') : undefined
      wanted.set(one.name, kept ?? (await theirs(one, kubectl)))
    }
    writeFileSync(golden, cases.map(({ name }) => `=== ${name}\n${wanted.get(name) ?? ''}`).join(''))
  }
  describe(`kustomize ${topic}`, () => {
    test.concurrent.each(cases)('$name', async (one) => {
      const isNewer = newer.has(`${topic}: ${one.name}`)
      const want = kubectl && !isNewer ? await theirs(one, kubectl) : wanted.get(one.name)
      expect(want).toBeDefined()
      expect(ours(one)).toBe(want)
    })
  })
}
