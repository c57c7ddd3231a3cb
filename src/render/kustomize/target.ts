import { parseYaml } from '../../lib/yaml.ts'
import { demand } from './refusal.ts'
import { Accumulator } from './accumulator.ts'
import { configOfCrds } from './crds.ts'
import { type Folder, isRemote } from './files.ts'
import { generateData, withGlobalOptions } from './generate-data.ts'
import { inflateChart, type RenderHelm } from './helm-charts.ts'
import { type Kustomization, readKustomization } from './kustomization.ts'
import type { MergeTable } from './merge/table.ts'
import { tableOfOpenApi } from './merge/table.ts'
import { appendOrigin, remoteOrigin } from './origins.ts'
import { builtinSteps } from './builtin-steps.ts'
import type { Transform } from './patches.ts'
import { makeGenerator, makeTransformer, type PluginTools } from './plugins.ts'
import { readManifests } from './read-manifests.ts'
import { prefixed, refuse, Refusal, within } from './refusal.ts'
import { type Origin, Resource } from './resource.ts'
import { mergeManifest } from './merge-manifest.ts'
import { defaultConfig, emptyConfig, mergeConfig, readConfig, type TransformerConfig } from './transformer-config.ts'
import { addVariables } from './variables.ts'

/** What all kustomizations of one build share. */
export interface Build {
  /** Replaced when a kustomization brings its own definitions along. */
  table: MergeTable
  /** Only the first definitions count: those of the kustomization that was asked for. */
  hasDefinitions: boolean
  readonly helm: RenderHelm | undefined
  /** How many kustomizations were read; one that is named twice counts twice. */
  targets: number
  readonly warnings: string[]
}

/** Bases that name each other's bases twice double with every level. */
const MOST_TARGETS = 10_000

const fileNames = ['kustomization.yaml', 'kustomization.yml', 'Kustomization'] as const

interface Step {
  readonly origin: Origin | undefined
  readonly run: Transform
}

function kustomizationFile(folder: Folder): { readonly name: string; readonly text: string } {
  const found = fileNames.flatMap((name) => {
    const text = folder.peek(name)
    return text === undefined ? [] : [{ name, text }]
  })
  const [file] = found
  if (!file) {
    const names = fileNames.map((name) => `'${name}'`)
    const [last = ''] = names.splice(-1)
    return refuse(`unable to find one of ${names.join(', ')} or ${last} in directory '${folder.text}'`)
  }
  if (found.length > 1) refuse(`Found multiple kustomization files under: ${folder.text}`)
  return file
}

/** One kustomization: what its file says, and where it is. */
export class Target {
  readonly kustomization: Kustomization
  readonly #folder: Folder
  readonly #build: Build
  readonly #fileName: string
  readonly #origin: Origin

  constructor(folder: Folder, build: Build, origin: Origin) {
    if (++build.targets > MOST_TARGETS) refuse(`a build of more than ${MOST_TARGETS} kustomizations is refused`)
    const file = kustomizationFile(folder)
    const read = readKustomization(file.text, folder.text)
    this.#folder = folder
    this.#build = build
    this.#origin = origin
    this.kustomization = read.kustomization
    this.#fileName = file.name
    for (const warning of read.warnings) if (!build.warnings.includes(warning)) build.warnings.push(warning)
  }

  /** Takes definitions that the kustomization brings along in the place of those that were known. */
  useDefinitions(): void {
    const { version, path } = this.kustomization.openapi ?? {}
    const text = path === undefined ? undefined : this.#folder.readText(path)
    if (this.#build.hasDefinitions || (text === undefined && version === undefined)) return
    this.#build.hasDefinitions = true
    if (text === undefined) {
      if (version !== '' && version !== 'v1.21.2') refuse(`the specified OpenAPI version is not built in: ${version}`)
      return
    }
    if (version !== undefined) refuse('builtin version and custom schema provided, cannot use both')
    const own = tableOfOpenApi(demand(parseYaml(text)))
    const usual = this.#build.table
    // How kinds merge is for the definitions alone to say; where they live is known all the same.
    this.#build.table = {
      schemaOf: (apiVersion, kind) => own.schemaOf(apiVersion, kind),
      isNamespaced: (apiVersion, kind) => usual.isNamespaced(apiVersion, kind) ?? own.isNamespaced(apiVersion, kind),
    }
  }

  /** Everything that the kustomization and those below it come to, before names are followed. */
  accumulate(into: Accumulator = new Accumulator()): Accumulator {
    const { kustomization } = this
    within('accumulating resources', () => this.#accumulateResources(into, kustomization.resources ?? []))
    into.config = mergeConfig(into.config, this.#config(kustomization.configurations ?? []))
    for (const path of kustomization.crds ?? []) {
      const crds = within(`loading CRDs ${path}`, () => configOfCrds(this.#folder.readText(path)))
      into.config = mergeConfig(into.config, crds)
    }
    this.#runGenerators(into)
    within('accumulating components', () => this.#accumulateComponents(into, kustomization.components ?? []))
    this.#runTransformers(into)
    this.#runValidators(into)
    addVariables(into.variables, kustomization.vars ?? [], into.resources)
    return into
  }

  #config(paths: readonly string[]): TransformerConfig {
    let config = emptyConfig
    for (const path of paths) {
      config = mergeConfig(
        config,
        within(path, () => readConfig(this.#folder.readText(path))),
      )
    }
    return paths.length === 0 ? defaultConfig : mergeConfig(defaultConfig, config)
  }

  #accumulateResources(into: Accumulator, paths: readonly string[]): void {
    for (const path of paths) {
      try {
        this.#accumulateFile(into, path)
      } catch (asFile) {
        if (!(asFile instanceof Refusal)) throw asFile
        this.#accumulateFolder(into, path, asFile)
      }
    }
  }

  #accumulateFile(into: Accumulator, path: string): void {
    const origin = appendOrigin(this.#origin, path)
    const resources = within(`accumulating resources from '${path}'`, () =>
      this.#resources(this.#folder.readText(path)),
    )
    for (const resource of resources) resource.origin = origin
    within(`merging resources from '${path}'`, () => into.resources.appendAll(resources))
  }

  #accumulateFolder(into: Accumulator, path: string, asFile: Refusal): void {
    let folder: Folder
    try {
      folder = this.#folder.enter(path)
    } catch (asFolder) {
      if (asFile.isMalformed || !(asFolder instanceof Refusal)) throw asFile
      throw prefixed(`accumulation err='${asFile.message}'`, asFolder)
    }
    within(`accumulation err='${asFile.message}'`, () => {
      const target = this.#enter(folder, path)
      if (target.kustomization.kind === 'Component') refuse(`expected kind != 'Component' for path '${folder.text}'`)
      const below = within(`recursed accumulation of path '${folder.text}'`, () => target.accumulate())
      within(`recursed merging from path '${folder.text}'`, () => into.merge(below))
    })
  }

  #accumulateComponents(into: Accumulator, paths: readonly string[]): void {
    for (const path of paths) {
      const folder = within('loader.New', () => this.#folder.enter(path))
      const target = within('accumulateDirectory', () => this.#enter(folder, path))
      if (target.kustomization.kind !== 'Component') {
        refuse(
          `accumulateDirectory: expected kind 'Component' for path '${folder.text}' but got '${target.kustomization.kind}'`,
        )
      }
      within(`accumulateDirectory: recursed accumulation of path '${folder.text}'`, () => target.accumulate(into))
    }
  }

  #enter(folder: Folder, path: string): Target {
    const origin = isRemote(path) ? remoteOrigin(path) : appendOrigin(this.#origin, path)
    const target = within(
      `couldn't make target for path '${folder.text}'`,
      () => new Target(folder, this.#build, origin),
    )
    target.useDefinitions()
    return target
  }

  #resources(text: string): readonly Resource[] {
    const scopes = this.#tools.scopes
    return readManifests(text).map((manifest) => new Resource(manifest, scopes))
  }

  get #tools(): PluginTools {
    const build = this.#build
    return {
      folder: this.#folder,
      scopes: ({ group, version, kind }) =>
        build.table.isNamespaced(group === '' ? version : `${group}/${version}`, kind) === false,
      merge: (manifest, patch) => mergeManifest(manifest, patch, build.table),
      helm: build.helm,
    }
  }

  #builtinOrigin(kind: string): Origin {
    const { path: _, ...place } = this.#origin
    const { path = '' } = appendOrigin(this.#origin, this.#fileName)
    return { ...place, configuredIn: path, configuredBy: { apiVersion: 'builtin', kind } }
  }

  #runGenerators(into: Accumulator): void {
    const { configMapGenerator = [], secretGenerator = [], helmCharts = [], generatorOptions } = this.kustomization
    const tools = this.#tools
    const made: (readonly [Origin | undefined, () => readonly Resource[]])[] = []
    for (const [kind, list] of [
      ['ConfigMap', configMapGenerator],
      ['Secret', secretGenerator],
    ] as const) {
      for (const entry of list) {
        const options = withGlobalOptions(entry.options, generatorOptions)
        const args = options ? { ...entry, options } : entry
        made.push([
          this.#builtinOrigin(`${kind}Generator`),
          () => [generateData(kind, args, this.#folder, tools.scopes)],
        ])
      }
    }
    for (const chart of helmCharts) {
      const entry = { ...this.kustomization.helmGlobals, ...chart }
      made.push([
        this.#builtinOrigin('HelmChartInflationGenerator'),
        () =>
          within('trouble configuring builtin HelmChartInflationGenerator', () =>
            inflateChart(entry, this.#folder, tools),
          ),
      ])
    }
    for (const resource of this.#pluginConfigs(this.kustomization.generators ?? [])) {
      made.push([this.#pluginOrigin(resource), makeGenerator(resource, tools)])
    }
    for (const [origin, generate] of made) {
      const resources = generate()
      for (const resource of resources) resource.origin ??= origin
      within('merging from generator', () => into.absorb(resources))
    }
  }

  /** Configurations of plugins: written where they are named, or in files and folders. */
  #pluginConfigs(entries: readonly string[]): readonly Resource[] {
    const into = new Accumulator()
    const paths: string[] = []
    for (const entry of entries) {
      const inline = this.#inline(entry)
      if (!inline) {
        paths.push(entry)
        continue
      }
      for (const resource of inline) resource.origin = appendOrigin(this.#origin, this.#fileName)
      into.resources.appendAll(inline)
    }
    this.#accumulateResources(into, paths)
    return into.resources.list
  }

  #inline(entry: string): readonly Resource[] | undefined {
    try {
      return this.#resources(entry)
    } catch (thrown) {
      if (thrown instanceof Refusal) return undefined
      throw thrown
    }
  }

  #pluginOrigin({ origin, apiVersion, kind, name, namespace }: Resource): Origin {
    const { path = '', ...rest } = origin ?? {}
    return { ...rest, configuredIn: path, configuredBy: { apiVersion, kind, name, namespace } }
  }

  #runTransformers(into: Accumulator): void {
    const steps = [
      ...builtinSteps(this.kustomization, into.config, this.#tools).map(([kind, run]): Step => ({
        origin: this.#builtinOrigin(kind),
        run,
      })),
      ...this.#pluginSteps(this.kustomization.transformers ?? []),
    ]
    for (const { origin, run } of steps) {
      run(into.resources)
      if (origin) {
        for (const resource of into.resources.list) {
          if (resource.origin) resource.transformations.push(origin)
          else resource.origin = origin
        }
      }
      into.resources.dropGone()
    }
  }

  #pluginSteps(entries: readonly string[]): readonly Step[] {
    return this.#pluginConfigs(entries).map((resource) => ({
      origin: this.#pluginOrigin(resource),
      run: makeTransformer(resource, this.#tools),
    }))
  }

  #runValidators(into: Accumulator): void {
    for (const { run } of this.#pluginSteps(this.kustomization.validators ?? [])) {
      const before = into.resources.list.map((resource) => resource.manifest)
      run(into.resources)
      const isSame =
        before.length === into.resources.list.length &&
        into.resources.list.every((resource, index) => resource.manifest === before[index])
      if (!isSame) refuse("validator shouldn't modify the resource map")
    }
  }
}
