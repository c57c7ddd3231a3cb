import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { Command } from 'commander'
import { afterAll, describe, expect, test } from 'vitest'
import type { CommandModule, Io } from '../command.ts'
import * as appset from './appset.ts'
import * as project from './project.ts'

const folder = mkdtempSync(join(tmpdir(), 'idp-appset-'))
afterAll(() => rmSync(folder, { recursive: true }))

interface Ran {
  readonly out: string
  readonly err: string
  readonly code: number
}

async function run(module: CommandModule, words: readonly string[], input: unknown = ''): Promise<Ran> {
  const ran = { out: '', err: '', code: 0 }
  const stdin = new PassThrough()
  stdin.end(typeof input === 'string' ? input : JSON.stringify(input))
  const io: Io = {
    stdin,
    out: (text) => (ran.out += text),
    err: (text) => (ran.err += text),
    env: {},
    cwd: folder,
    signal: new AbortController().signal,
    exit: (code) => (ran.code = code),
  }
  const command = new Command('command')
  module.define(command, io)
  await command.parseAsync([...words], { from: 'user' })
  return ran
}

const write = (name: string, value: unknown): string => {
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, name), JSON.stringify(value))
  return name
}

const setOf = (generators: readonly object[], server = 'https://kubernetes.default.svc'): object => ({
  apiVersion: 'argoproj.io/v1alpha1',
  kind: 'ApplicationSet',
  metadata: { name: 'apps' },
  spec: {
    goTemplate: true,
    generators,
    template: {
      metadata: { name: '{{ .name }}' },
      spec: {
        project: 'default',
        source: { repoURL: 'https://x/y', path: 'a' },
        destination: { server, namespace: 'n' },
      },
    },
  },
})
const list = { list: { elements: [{ name: 'one' }, { name: 'two' }] } }

describe('idp appset generate', () => {
  test('prints what is generated, from which generator and parameters', async () => {
    const ran = await run(appset, ['generate', '-f', '-'], setOf([list]))
    expect(ran).toMatchObject({ code: 0, err: '' })
    expect(ran.out).toMatch(/^APPLICATION +SET +PROJECT/)
    expect(ran.out).toMatch(/^one +apps +default +a +https:\/\/kubernetes.default.svc n +list #1 +\{"name":"one"\}$/m)
  })

  test('prints Applications that can be applied', async () => {
    const ran = await run(appset, ['generate', '-f', '-', '-o', 'yaml'], setOf([list]))
    expect(ran.out.split(/^---\n/m)).toHaveLength(2)
    expect(ran.out).toContain('kind: Application\n')
  })

  test('takes clusters from a file, and says when none were given', async () => {
    const facts = write('facts.json', { clusters: [{ name: 'east', server: 'https://east' }] })
    const set = setOf([{ clusters: {} }], '{{ .server }}')
    const known = await run(appset, ['generate', '-f', '-', '--facts', facts, '-o', 'json'], set)
    const rows = JSON.parse(known.out) as readonly { application: { metadata: { name: string } } }[]
    expect(rows.map((row) => row.application.metadata.name)).toEqual(['east', 'in-cluster'])
    expect((await run(appset, ['generate', '-f', '-'], set)).err).toMatch(/^note: no clusters were given/)
  })

  test.each([
    [
      'a service that nobody recorded',
      [{ pullRequest: { github: { owner: 'o', repo: 'r' } } }],
      'https://api.github.com',
    ],
    ['a plugin', [{ plugin: { configMapRef: { name: 'p' } } }], 'the ConfigMap p is not known without a cluster'],
    ['the same name twice', [list, list], 'duplicate name: one'],
  ])('fails for %s', async (_, generators, want) => {
    const ran = await run(appset, ['generate', '-f', '-'], setOf(generators))
    expect(ran.code).toBe(1)
    expect(ran.err).toContain(want)
  })

  test.each([
    ['neither a name nor a file', ['generate'], 2],
    ['a file that is not there', ['generate', '-f', 'none.yaml'], 1],
    ['a format that is none', ['generate', '-f', '-', '-o', 'xml'], 2],
  ])('refuses %s', async (_, words, code) => {
    const ran = await run(appset, words)
    expect(ran.code).toBe(code)
    expect(ran.err).toMatch(/^idp appset generate: /)
  })
})

describe('idp project check', () => {
  const team = {
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'AppProject',
    metadata: { name: 'team' },
    spec: {
      sourceRepos: ['https://x/*'],
      destinations: [{ server: '*', namespace: 'team-*' }],
      roles: [{ name: 'dev', groups: ['devs'], policies: ['p, proj:team:dev, applications, sync, team/*, allow'] }],
    },
  }
  const application = (repoURL: string): object => ({
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'Application',
    metadata: { name: 'shop', namespace: 'argocd' },
    spec: {
      project: 'team',
      source: { repoURL, path: 'p' },
      destination: { server: 'https://kubernetes.default.svc', namespace: 'team-a' },
    },
  })
  const check = (...words: readonly string[]): Promise<Ran> => run(project, ['check', '-f', '-', ...words], team)

  test.each<[string, readonly string[], 0 | 1]>([
    ['a source', ['--repo', 'https://x/app'], 0],
    ['another source', ['--repo', 'https://z/app'], 1],
    ['a destination', ['--namespace', 'team-a'], 0],
    ['another destination', ['--namespace', 'kube-system'], 1],
    ['a kind', ['--kind', 'apps/Deployment', '--namespace', 'team-a'], 0],
    ['a kind of the cluster', ['--kind', 'Namespace', '--cluster-scoped'], 1],
    ['what a role may', ['--role', 'dev', '--action', 'sync', '--object', 'team/shop'], 0],
    ['what a role may not', ['--role', 'dev', '--action', 'delete', '--object', 'team/shop'], 1],
    ['what members of a group may', ['--group', 'devs', '--action', 'sync'], 0],
    ['the project itself', [], 0],
    ['an Application', ['--app', write('good.json', application('https://x/app'))], 0],
    ['an Application from elsewhere', ['--app', write('bad.json', application('https://z/app'))], 1],
  ])('judges %s', async (_, words, code) => expect((await check(...words)).code).toBe(code))

  test('names the rule and what would allow it', async () => {
    const { out } = await check('--repo', 'https://z/app', '-o', 'json')
    expect(JSON.parse(out)).toEqual([
      {
        asked: 'team: source https://z/app',
        allowed: false,
        because: 'no rule accepts "https://z/app": "https://x/*"',
        rule: 'spec.sourceRepos',
        cure: 'add "https://z/app" to spec.sourceRepos',
      },
    ])
  })

  test('without a cluster or a file it says how to name one', async () => {
    expect(await run(project, ['list'])).toMatchObject({
      code: 1,
      err: expect.stringMatching(/no kubeconfig.*--context/),
    })
  })
})
