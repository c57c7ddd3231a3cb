/** One source of an Argo CD Application: the fields that rendering reads. */
export interface ApplicationSource {
  readonly repoURL?: string
  readonly path?: string
  readonly targetRevision?: string
  readonly chart?: string
  readonly ref?: string
  readonly tagPrefix?: string
  readonly helm?: HelmSource
  readonly kustomize?: KustomizeSource
  readonly directory?: { readonly recurse?: boolean; readonly include?: string; readonly exclude?: string }
  readonly plugin?: unknown
}

export interface HelmSource {
  readonly releaseName?: string
  readonly namespace?: string
  readonly valueFiles?: readonly string[]
  readonly ignoreMissingValueFiles?: boolean
  readonly values?: string
  readonly valuesObject?: Readonly<Record<string, unknown>>
  readonly parameters?: readonly { readonly name?: string; readonly value?: string; readonly forceString?: boolean }[]
  readonly fileParameters?: readonly { readonly name?: string; readonly path?: string }[]
  readonly passCredentials?: boolean
  readonly skipCrds?: boolean
  readonly skipTests?: boolean
  readonly skipSchemaValidation?: boolean
  readonly kubeVersion?: string
  readonly apiVersions?: readonly string[]
}

export interface KustomizeSource {
  readonly namePrefix?: string
  readonly nameSuffix?: string
  readonly namespace?: string
  readonly images?: readonly string[]
  readonly replicas?: readonly { readonly name: string; readonly count: number | string }[]
  readonly commonLabels?: Readonly<Record<string, string>>
  readonly labelWithoutSelector?: boolean
  readonly labelIncludeTemplates?: boolean
  readonly forceCommonLabels?: boolean
  readonly commonAnnotations?: Readonly<Record<string, string>>
  readonly commonAnnotationsEnvsubst?: boolean
  readonly forceCommonAnnotations?: boolean
  readonly components?: readonly string[]
  readonly patches?: readonly unknown[]
  /** What charts in the kustomization see of the cluster. */
  readonly kubeVersion?: string
  readonly apiVersions?: readonly string[]
}

/** What sources may refer to as `$ARGOCD_APP_NAME` and so on. */
export interface BuildEnvironment {
  readonly appName: string
  readonly appNamespace: string
  readonly projectName: string
  readonly revision: string
}

/** The build variables of one source, by name. */
export function buildVariables(environment: BuildEnvironment, source: ApplicationSource): ReadonlyMap<string, string> {
  const { appName, appNamespace, projectName, revision } = environment
  return new Map([
    ['ARGOCD_APP_NAME', appName],
    ['ARGOCD_APP_NAMESPACE', appNamespace],
    ['ARGOCD_APP_PROJECT_NAME', projectName],
    ['ARGOCD_APP_REVISION', revision],
    ['ARGOCD_APP_REVISION_SHORT', revision.slice(0, 7)],
    ['ARGOCD_APP_REVISION_SHORT_8', revision.slice(0, 8)],
    ['ARGOCD_APP_SOURCE_REPO_URL', source.repoURL ?? ''],
    ['ARGOCD_APP_SOURCE_PATH', source.path ?? ''],
    ['ARGOCD_APP_SOURCE_TARGET_REVISION', source.targetRevision ?? ''],
  ])
}

/** Replaces `$NAME` and `${NAME}` by build variables; `$$` is a dollar sign, unknown names are nothing. */
export function substitute(text: string, variables: ReadonlyMap<string, string>): string {
  return text.replace(/\$(?:\$|\{(\w+)\}|(\w+))/g, (whole, braced: string | undefined, bare: string | undefined) => {
    const name = braced ?? bare
    return name === undefined ? whole.slice(1) : (variables.get(name) ?? '')
  })
}
