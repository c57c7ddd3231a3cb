import { accessSync, constants, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type RunningApi, startApi } from './api-server.ts'
import { type Ran, runProgram } from './idp.ts'
import { session, type Step } from './kubectl-session.ts'

/** Folders beside PATH in which SDKs keep versioned kubectls. */
const KNOWN_FOLDERS = ['/usr/lib/google-cloud-sdk/bin', '/opt/google-cloud-sdk/bin', '/usr/local/google-cloud-sdk/bin']

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

/** Every kubectl of this machine by the minor version in its name; a plain `kubectl` only where there is no other. */
function kubectls(): readonly { readonly path: string; readonly minor: number | undefined }[] {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), ...KNOWN_FOLDERS]
  const found = new Map<string, { readonly path: string; readonly minor: number | undefined }>()
  for (const folder of folders) {
    let names: readonly string[] = []
    try {
      names = readdirSync(folder)
    } catch {
      continue
    }
    for (const name of names) {
      const minor = /^kubectl(?:\.1\.(\d+))?$/.exec(name)
      const path = join(folder, name)
      if (minor && !found.has(name) && isExecutable(path)) {
        found.set(name, { path, minor: minor[1] === undefined ? undefined : Number(minor[1]) })
      }
    }
  }
  const versioned = [...found.values()].filter(({ minor }) => minor !== undefined)
  if (versioned.length === 0) return [...found.values()]
  const sorted = versioned.toSorted((a, b) => (a.minor ?? 0) - (b.minor ?? 0))
  // The oldest, one in the middle and the newest cover what changed between them; ALL_KUBECTLS=1 runs every one.
  if (process.env['ALL_KUBECTLS']) return sorted
  const picked = [sorted[0], sorted[Math.floor(sorted.length / 2)], sorted.at(-1)]
  return [...new Set(picked)].flatMap((one) => one ?? [])
}

const available = kubectls()

test('there is a kubectl to try the server with, or its session is skipped', ({ skip }) => {
  skip(available.length === 0, 'no kubectl is on PATH or in a known SDK folder')
  expect(available.length).toBeGreaterThan(0)
})

describe.each(available)('$path', ({ path, minor }) => {
  let api: RunningApi
  let home: string

  beforeAll(async () => {
    api = await startApi()
    home = mkdtempSync(join(tmpdir(), 'idp-kubectl-'))
    writeFileSync(join(home, 'kustomization.yaml'), 'configMapGenerator: [{name: kustomized, literals: [a=b]}]\n')
    writeFileSync(join(home, 'editor'), '#!/bin/sh\nsed -i s/fast/slow/ "$1"\n', { mode: 0o755 })
  })
  afterAll(async () => {
    await api?.remove()
    if (home) rmSync(home, { recursive: true, force: true })
  })

  const kubectl = (step: Step) =>
    runProgram(path, [`--cache-dir=${home}/cache`, '--request-timeout=20s', ...step.run.split(' ')], {
      input: step.input ?? '',
      cwd: home,
      env: {
        KUBECONFIG: api.kubeconfig,
        HOME: home,
        KUBECTL_EXTERNAL_DIFF: 'diff -u -N',
        KUBE_EDITOR: join(home, 'editor'),
      },
    })

  test('the whole session answers as a cluster does', async () => {
    const wrong: string[] = []
    for (const step of session) {
      if (step.since !== undefined && minor !== undefined && minor < step.since) continue
      const ran = await kubectl(step)
      const because = disagreement(step, ran)
      if (because) wrong.push(`kubectl ${step.run}: ${because}\n${ran.stdout}${ran.stderr}`)
    }
    expect(wrong).toEqual([])
  }, 240_000)
})

/** How an answer differs from what the step says; undefined where it does not. */
function disagreement({ says, fails, code = 0 }: Step, ran: Ran): string | undefined {
  if (fails && (ran.code === 0 || !fails.test(ran.stderr))) return `must fail with ${String(fails)}`
  if (!fails && ran.code !== code) return `must end with ${code}, ended with ${ran.code}`
  return says && !says.test(ran.stdout) ? `must say ${String(says)}` : undefined
}
