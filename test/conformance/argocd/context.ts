import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { applyJsonPatch } from '../../../src/kube/patch/json-patch.ts'
import { emitYaml, parseYaml } from '../../../src/lib/yaml.ts'
import { Lost } from './go-values.ts'

/** Where the objects of the platform live. */
export const CONTROL_NAMESPACE: string = 'argocd'
const EXTERNAL_NAMESPACE = 'argocd-e2e-external'

/** What a scenario says before it acts: the repository it works with, and how the Application is to be made. */
export class Context {
  readonly id: string
  readonly root: string
  readonly externalNamespace: string = EXTERNAL_NAMESPACE
  readonly deploymentNamespace: string
  name: string
  path = ''
  project = 'default'
  destServer = 'https://kubernetes.default.svc'
  appNamespace: string = CONTROL_NAMESPACE
  revision = ''
  tagPrefix = ''
  chart = ''
  namePrefix = ''
  nameSuffix = ''
  resource = ''
  repoType = 'file'
  isAsync = false
  doesRecurse = false
  doesPassCredentials = false
  destName = ''
  doesPrune = false
  doesForce = false
  doesReplace = false
  isOutOfSyncOnly = false
  helmFlags: readonly string[] = []
  parameters: readonly string[] = []
  sources: readonly unknown[] = []
  timeoutSeconds = 20
  /** URLs of servers that the scenario started, by kind. */
  readonly urls: Map<string, string> = new Map()

  constructor(test: string, root: string, number: number) {
    this.id = `${test
      .toLowerCase()
      .replace(/[^a-z0-9]+/g, '-')
      .slice(0, 30)}-${number}`
    this.name = this.id
    this.root = root
    this.deploymentNamespace = `e2e-${this.id}`
  }

  repoURL(type: string): string {
    const url = this.urls.get(type === '' ? 'file' : type)
    if (url === undefined) throw new Lost(`a repository reached by ${type}`)
    return url
  }

  /** Names that the upstream fixture has and this one calls differently. */
  renamed(text: string): string {
    return text === 'argocd-e2e' ? CONTROL_NAMESPACE : text
  }

  /** The text that an expression of the fixture stands for. */
  text(expression: string): string {
    const sum = /^"(.*)" \+ (.+)$/.exec(expression)
    if (sum) return (sum[1] ?? '') + this.text(sum[2] ?? '')
    if (expression.startsWith('fixture.RepoURL("')) return this.repoURL(expression.split('"')[1] ?? '')
    switch (expression) {
      case 'fixture.TestNamespace()':
        return CONTROL_NAMESPACE
      case 'fixture.AppNamespace()':
        return this.externalNamespace
      case 'ctx.DeploymentNamespace()':
        return this.deploymentNamespace
      case 'ctx.AppName()':
      case 'ctx.GetName()':
      case 'app.Name':
        return this.name
      case 'ctx.AppQualifiedName()':
      case 'app.QualifiedName()':
        return this.name
      case 'metav1.DeletePropagationForeground':
        return 'Foreground'
    }
    // A namespace that the fixture makes up for one test.
    if (expression.startsWith('fixture.DnsFriendly(')) return `${this.deploymentNamespace}-new`
    throw new Lost(`what ${expression.slice(0, 60)} stands for`)
  }

  git(...args: readonly string[]): string {
    return execFileSync('git', ['-c', 'user.name=e2e', '-c', 'user.email=e2e@example.com', ...args], {
      cwd: this.root,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    }).trim()
  }

  /** Writes the files of the pack and makes the first commit. */
  startRepository(files: Readonly<Record<string, string>>): void {
    for (const [name, text] of Object.entries(files)) {
      const path = join(this.root, name)
      mkdirSync(dirname(path), { recursive: true })
      writeFileSync(path, text.startsWith('base64:') ? Buffer.from(text.slice(7), 'base64') : text)
    }
    this.git('init', '--quiet', '--initial-branch=master')
    this.commit('initial commit')
  }

  commit(message: string): void {
    this.git('add', '--all')
    this.git('commit', '--quiet', '--allow-empty', '--message', message)
  }

  addFile(name: string, text: string): void {
    const path = join(this.root, this.path, name)
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, text)
    this.commit('add file')
  }

  deleteFile(name: string): void {
    rmSync(join(this.root, this.path, name))
    this.commit('delete')
  }

  /** Changes a YAML or JSON file by a JSON patch. */
  patchFile(name: string, patch: string): void {
    const path = join(this.root, this.path, name)
    if (!existsSync(path)) throw new Error(`there is no file ${path}`)
    const document = parseYaml(readFileSync(path, 'utf8'))
    if (!document.ok) throw new Error(document.error[0]?.message)
    const patched = applyJsonPatch(document.value, JSON.parse(patch) as never)
    if (!patched.ok) throw new Error(JSON.stringify(patched.error))
    writeFileSync(path, emitYaml(patched.value))
    this.commit('patch')
  }
}
