import type { KubeObject } from '../../../src/kube/object.ts'
import { emitYaml, parseYaml } from '../../../src/lib/yaml.ts'
import { wordOf } from '../chainsaw/chainsaw-test.ts'
import { runProgram } from '../chainsaw/programs.ts'
import type { World } from '../chainsaw/world.ts'
import { APPLICATION_SETS, Argocd, pause, type Said } from './argocd.ts'
import { type Assertion, judge } from './assertions.ts'
import { type Context, CONTROL_NAMESPACE } from './context.ts'
import { Excuse, excuseOfCall, Unsupported } from './excuse.ts'
import { check, type Scene } from './expectations.ts'
import { fromGo, type GoValue, Lost, pathOf, withValue } from './go-values.ts'
import type { Platform } from './platform.ts'

/** One call of a chain. */
export interface Call {
  readonly call: string
  readonly args: readonly GoValue[]
}

interface Block {
  readonly $asserts?: readonly Assertion[]
  readonly $run?: readonly (readonly GoValue[])[]
  readonly $set?: readonly (readonly [string, GoValue])[]
}

const PATIENCE_MS = 20_000

/** Says why a chain cannot be run here, before anything is done; undefined when it can. */
export function excuseOf(chain: readonly Call[], files: Readonly<Record<string, string>>): string | undefined {
  for (const { call, args } of chain) {
    const path = call === 'Path' ? `${wordOf(args[0])}/` : undefined
    if (path && Object.entries(files).some(([name, text]) => name.startsWith(path) && text.includes('preStop:'))) {
      return 'needs a program that runs in a container'
    }
    const excuse = excuseOfCall(call, args)
    if (excuse !== undefined) return excuse
  }
  return undefined
}

/** Runs one chain; what does not hold is thrown with its reason. */
export class Scenario {
  readonly #world: World
  readonly #context: Context
  readonly #argocd: Argocd
  readonly #platform: Platform
  readonly #kubectl: string | undefined
  #said: Said = { output: '', error: '' }
  #ignoresErrors = false
  #setName: string | undefined
  #setNamespace: string = CONTROL_NAMESPACE
  #isApplicationSet = false
  #before = new Map<string, unknown>()

  constructor(world: World, context: Context, platform: Platform, kubectl: string | undefined) {
    this.#world = world
    this.#context = context
    this.#argocd = new Argocd(world, context)
    this.#platform = platform
    this.#kubectl = kubectl
  }

  async run(chain: readonly Call[]): Promise<void> {
    this.#isApplicationSet = chain.some(
      ({ call, args }) => call === 'Create' && JSON.stringify(args).includes('ApplicationSetSpec'),
    )
    const stop = new AbortController()
    const watching = this.#argocd.watch(stop.signal)
    try {
      for (const { call, args } of chain) await this.#step(call, args)
    } finally {
      stop.abort()
      await watching
    }
  }

  async #step(call: string, args: readonly GoValue[]): Promise<void> {
    try {
      await this.#call(call, args)
    } catch (error) {
      if (error instanceof Excuse || error instanceof Lost || error instanceof Unsupported) throw error
      throw new Error(`${call}: ${error instanceof Error ? error.message : String(error)}`, { cause: error })
    }
  }

  async #call(call: string, args: readonly GoValue[]): Promise<void> {
    const text = (index: number): string => wordOf(fromGo(args[index] ?? '', this.#context))
    if (this.#given(call, text, args)) return
    switch (call) {
      case 'Given':
      case 'GivenWithNamespace':
      case 'When':
      case 'Then':
      case 'ThenWithTimeout':
      case 'GivenWithSameState':
      case 'CustomCACertAdded':
      case 'Get':
      case 'AppSetGet':
      case 'AppSetList':
      case 'CreatePlacementRoleAndRoleBinding':
        return
      case 'Sleep':
        return pause(Math.min(Number(args[0]) * 1_000, 2_000))
      case 'IgnoreErrors':
      case 'DoNotIgnoreErrors':
        this.#ignoresErrors = call === 'IgnoreErrors'
        return
      case 'Expect':
      case 'ExpectWithDuration':
        return this.#expect(args[0] ?? null)
      case 'ExpectConsistently':
        await this.#expect(args[0] ?? null)
        await pause(1_000)
        return this.#expect(args[0] ?? null, 0)
      case 'And':
      case 'AndAction':
        return this.#and((args[0] ?? {}) as Block)
    }
    if (await this.#repository(call, text)) return
    if (await this.#platform.call(call, text, args)) return
    await this.#act(call, text, args)
  }

  /** What is said of the Application before it is made. */
  #given(call: string, text: (index: number) => string, args: readonly GoValue[]): boolean {
    const context = this.#context
    const strings: Readonly<Record<string, (value: string) => void>> = {
      Path: (value) => (context.path = value),
      Project: (value) => (context.project = value),
      Name: (value) => (context.name = value),
      DestServer: (value) => (context.destServer = value),
      SetAppNamespace: (value) => (context.appNamespace = value),
      Revision: (value) => (context.revision = value),
      TagPrefix: (value) => (context.tagPrefix = value),
      Chart: (value) => (context.chart = value),
      NamePrefix: (value) => (context.namePrefix = value),
      NameSuffix: (value) => (context.nameSuffix = value),
      SelectedResource: (value) => (context.resource = value),
      RepoURLType: (value) => (context.repoType = value),
      DestName: (value) => (context.destName = value),
      Parameter: (value) => (context.parameters = [...context.parameters, value]),
      Env: () => {},
    }
    const flags: Readonly<Record<string, () => void>> = {
      Replace: () => (context.doesReplace = true),
      Force: () => (context.doesForce = true),
      ApplyOutOfSyncOnly: () => (context.isOutOfSyncOnly = true),
      Prune: () => (context.doesPrune = args[0] !== false),
      Recurse: () => (context.doesRecurse = true),
      HelmPassCredentials: () => (context.doesPassCredentials = true),
      HelmSkipCrds: () => (context.helmFlags = [...context.helmFlags, '--helm-skip-crds']),
      HelmSkipTests: () => (context.helmFlags = [...context.helmFlags, '--helm-skip-tests']),
      HelmSkipSchemaValidation: () => (context.helmFlags = [...context.helmFlags, '--helm-skip-schema-validation']),
      Sources: () => (context.sources = fromGo(args[0] ?? null, context) as readonly unknown[]),
      SwitchToExternalNamespace: () => (this.#setNamespace = context.externalNamespace),
      SwitchToArgoCDNamespace: () => (this.#setNamespace = CONTROL_NAMESPACE),
    }
    const setString = strings[call]
    if (setString) setString(text(0))
    else if (call === 'Async') context.isAsync = args[0] === true
    else if (flags[call]) flags[call]()
    else if (call === 'Timeout') context.timeoutSeconds = Math.max(Number(args[0]), 1)
    else return false
    return true
  }

  async #repository(call: string, text: (index: number) => string): Promise<boolean> {
    const context = this.#context
    switch (call) {
      case 'PatchFile':
        context.patchFile(text(0), text(1))
        return true
      case 'AddFile':
      case 'WriteFile':
        context.addFile(text(0), text(1))
        return true
      case 'DeleteFile':
        context.deleteFile(text(0))
        return true
      case 'AddTag':
      case 'AddTagWithForce':
        context.git('tag', '--force', text(0))
        return true
      case 'AddAnnotatedTag':
        context.git('tag', '--annotate', '--message', text(1), text(0))
        return true
      case 'GitRevList':
        this.#said = { output: context.git('rev-list', text(0), text(1)), error: '' }
        return true
      case 'Resource': {
        const object = parseYaml(text(0))
        if (!object.ok) throw new Error('the resource is no YAML')
        await this.#platform.apply({ ...(object.value as KubeObject) }, context.deploymentNamespace)
        return true
      }
    }
    return false
  }

  async #act(call: string, text: (index: number) => string, args: readonly GoValue[]): Promise<void> {
    const flags = args.flat().map((arg) => wordOf(fromGo(arg, this.#context)))
    const said = await this.#action(call, text, args, flags)
    this.#said = said
    if (call !== 'Refresh') await this.#argocd.settle()
    if (said.error !== '' && !this.#ignoresErrors) throw new Error(`the command failed: ${said.error}`)
  }

  #action(
    call: string,
    text: (index: number) => string,
    args: readonly GoValue[],
    flags: readonly string[],
  ): Promise<Said> {
    const argocd = this.#argocd
    switch (call) {
      case 'CreateApp':
        return argocd.createFromFlags(flags, true)
      case 'CreateWithNoNameSpace':
        return argocd.createFromFlags(flags, false)
      case 'CreateFromFile':
        return this.#createFromFile((args[0] ?? {}) as Block)
      case 'Declarative':
      case 'DeclarativeWithCustomRepo':
        return this.#declare(text(0), call === 'Declarative' ? this.#context.repoURL(this.#context.repoType) : text(1))
      case 'CreateMultiSourceApp':
        return argocd.createFromFlags(flags, true)
      case 'CreateMultiSourceAppFromFile':
        return this.#createFromFile((args[0] ?? {}) as Block)
      case 'CreateFromPartialFile':
        return this.#createFromPart(text(0))
      case 'AppSet':
        return argocd.set(flags)
      case 'AppUnSet':
        return argocd.unset(flags)
      case 'ConfirmDeletion':
        return argocd.confirmDeletion()
      case 'DeleteBySelector':
      case 'DeleteBySelectorWithWait':
        return argocd.deleteBySelector(text(0), call.endsWith('Wait'))
      case 'Sync':
        return argocd.sync(flags)
      case 'Refresh':
        return argocd.refresh(text(0))
      case 'Wait':
        return argocd.wait()
      case 'PatchApp':
        return argocd.patch('json', text(0))
      case 'PatchAppHttp':
        return argocd.patch('merge', text(0))
      case 'TerminateOp':
        return argocd.terminate()
      case 'Delete':
        return this.#isApplicationSet ? this.#deleteSet(text(0)) : argocd.delete(args[0] === true)
      case 'Create':
        return this.#createSet(args[0] ?? null)
      case 'Update':
        return this.#updateSet((args[0] ?? {}) as Block)
    }
    throw new Lost(`the call ${call}`)
  }

  async #createFromFile({ $set = [] }: Block): Promise<Said> {
    const { name, appNamespace } = this.#context
    let object: Record<string, unknown> = {
      apiVersion: 'argoproj.io/v1alpha1',
      kind: 'Application',
      metadata: { name, namespace: appNamespace },
      spec: this.#argocd.specOfContext(),
    }
    for (const [path, value] of $set) object = withValue(object, pathOf(path), fromGo(value, this.#context))
    return this.#argocd.create(object as unknown as KubeObject)
  }

  /** A part of an Application, completed by what the context says. */
  async #createFromPart(part: string): Promise<Said> {
    const object = parseYaml(part)
    if (!object.ok) return { output: '', error: 'the file is no YAML' }
    const given = object.value as { readonly metadata?: object; readonly spec?: Record<string, unknown> }
    const { name, appNamespace } = this.#context
    const base = this.#argocd.specOfContext()
    const source = { ...(base['source'] as object), ...(given.spec?.['source'] as object | undefined) }
    const destination = { ...(base['destination'] as object), ...(given.spec?.['destination'] as object | undefined) }
    return this.#argocd.create({
      apiVersion: 'argoproj.io/v1alpha1',
      kind: 'Application',
      metadata: { ...given.metadata, name, namespace: appNamespace },
      spec: { ...base, ...given.spec, source, destination },
    })
  }

  async #declare(file: string, repoURL: string): Promise<Said> {
    const { name, path, project, deploymentNamespace } = this.#context
    const values: Readonly<Record<string, string>> = {
      ArgoCDNamespace: CONTROL_NAMESPACE,
      DeploymentNamespace: deploymentNamespace,
      Name: name,
      Path: path,
      Project: project,
      RepoURL: repoURL,
    }
    const filled = this.#platform.file(file).replace(/\{\{\.(\w+)\}\}/g, (_whole, key: string) => values[key] ?? '')
    const object = parseYaml(filled)
    if (!object.ok) return { output: '', error: 'the file is no YAML' }
    await this.#platform.apply(object.value as KubeObject, CONTROL_NAMESPACE)
    return { output: '', error: '' }
  }

  async #createSet(literal: GoValue): Promise<Said> {
    const made = fromGo(literal, this.#context) as Record<string, unknown>
    // Some sets bring their name along: applications and steps of rollouts are called after it.
    this.#setName =
      wordOf((made['metadata'] as { readonly name?: string } | undefined)?.name) || `${this.#context.id}-set`
    const object = {
      apiVersion: 'argoproj.io/v1alpha1',
      kind: 'ApplicationSet',
      ...made,
      metadata: { ...(made['metadata'] as object), name: this.#setName, namespace: this.#setNamespace },
    }
    const created = await this.#world.client.create(
      { resource: APPLICATION_SETS, namespace: this.#setNamespace },
      object,
    )
    return created.ok
      ? { output: '', error: '' }
      : { output: '', error: `${created.error.message}\n${emitYaml(object)}` }
  }

  async #updateSet({ $set = [] }: Block): Promise<Said> {
    const target = { resource: APPLICATION_SETS, namespace: this.#setNamespace, name: this.#setName ?? '' }
    for (let tries = 0; tries < 20; tries++) {
      const got = await this.#world.client.get(target)
      if (!got.ok) return { output: '', error: got.error.message }
      let object: Record<string, unknown> = got.value
      for (const [path, value] of $set) object = withValue(object, pathOf(path), fromGo(value, this.#context))
      const updated = await this.#world.client.update(target, object)
      if (updated.ok) return { output: '', error: '' }
      if (updated.error.reason !== 'Conflict') return { output: '', error: updated.error.message }
    }
    return { output: '', error: 'the ApplicationSet changes too often' }
  }

  async #deleteSet(propagation: string): Promise<Said> {
    const target = { resource: APPLICATION_SETS, namespace: this.#setNamespace, name: this.#setName ?? '' }
    const propagationPolicy = propagation === 'Foreground' ? 'Foreground' : 'Background'
    const deleted = await this.#world.client.delete(target, { propagationPolicy })
    return deleted.ok ? { output: '', error: '' } : { output: '', error: deleted.error.message }
  }

  async #expect(expectation: GoValue, patienceMs: number = PATIENCE_MS): Promise<void> {
    const end = Date.now() + Math.max(patienceMs, this.#context.timeoutSeconds > 25 ? patienceMs * 2 : 0)
    for (let waitMs = 10; ; waitMs = Math.min(waitMs * 2, 300)) {
      const scene: Scene = {
        world: this.#world,
        context: this.#context,
        argocd: this.#argocd,
        said: this.#said,
        setName: this.#setName,
        setNamespace: this.#setNamespace,
        eventually: patienceMs > 0,
      }
      const found = await check(expectation, scene)
      if (found.ok) return
      if (found.final || Date.now() > end) throw new Error(found.because)
      await pause(waitMs)
    }
  }

  async #and({ $asserts = [], $run = [] }: Block): Promise<void> {
    let output = this.#said.output
    let error = ''
    for (const words of $run) {
      const [output_, error_] = await this.#program(words.map((word) => wordOf(fromGo(word, this.#context))))
      output = output_
      error = error_
      if ($asserts.length === 0 && error !== '') throw new Error(error)
    }
    const app = $asserts.length > 0 && !this.#isApplicationSet ? await this.#argocd.app() : undefined
    const [version] = JSON.stringify($asserts).includes('ServerVersion')
      ? await this.#program(['', 'kubectl', 'get', '--raw', '/version'])
      : ['{}']
    const serverVersion = wordOf((JSON.parse(version) as { readonly gitVersion?: string }).gitVersion)
    const now = new Map<string, unknown>()
    for (const assertion of $asserts) {
      const facts = {
        context: this.#context,
        app,
        serverVersion,
        lastOutput: this.#said.output,
        output,
        error,
        before: this.#before,
        now,
      }
      const because = judge(assertion, facts)
      if (because !== undefined) throw new Error(because)
    }
    this.#before = now
  }

  async #program(words: readonly string[]): Promise<readonly [output: string, error: string]> {
    const [, program = '', ...args] = words
    if (program !== 'kubectl') throw new Excuse(`runs ${program}`)
    if (this.#kubectl === undefined) throw new Excuse('needs kubectl')
    const run = await runProgram({
      command: 'kubectl',
      args,
      cwd: this.#context.root,
      kubectl: this.#kubectl,
      kubeconfig: this.#world.kubeconfig,
      env: {},
      limitMs: 20_000,
    })
    return [run.stdout, run.code === 0 ? '' : run.stderr || `kubectl ended with ${run.code}`]
  }
}
