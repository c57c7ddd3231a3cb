import type { Shape } from './shape.ts'

type Fields = Readonly<Record<string, Shape>>

/** A shape with named fields. */
export interface RecordShape {
  readonly record: Fields
}

const texts: Shape = { list: 'text' }
const textMap: Shape = { map: 'text' }

export const targetFields: Fields = {
  group: 'text',
  version: 'text',
  kind: 'text',
  name: 'text',
  namespace: 'text',
  labelSelector: 'text',
  annotationSelector: 'text',
}

export const fieldSpecShape: RecordShape = {
  record: { group: 'text', version: 'text', kind: 'text', path: 'text', create: 'flag' },
}

export const optionsShape: RecordShape = {
  record: { labels: textMap, annotations: textMap, disableNameSuffixHash: 'flag', immutable: 'flag' },
}

const dataFields: Fields = {
  name: 'text',
  namespace: 'text',
  behavior: 'text',
  literals: texts,
  files: texts,
  envs: texts,
  env: 'text',
  options: optionsShape,
}

export const configMapShape: RecordShape = { record: dataFields }
export const secretShape: RecordShape = { record: { ...dataFields, type: 'text' } }

export const patchShape: RecordShape = {
  record: {
    path: 'text',
    patch: 'text',
    target: { record: targetFields },
    options: { record: { allowNameChange: 'flag', allowKindChange: 'flag' } },
  },
}

export const imageShape: RecordShape = {
  record: { name: 'text', newName: 'text', newTag: 'text', tagSuffix: 'text', digest: 'text' },
}

const fieldOptions: Shape = {
  record: { delimiter: 'text', index: 'integer', encoding: 'text', create: 'flag' },
}

export const replacementShape: RecordShape = {
  record: {
    path: 'text',
    source: { record: { ...targetFields, fieldPath: 'text', options: fieldOptions } },
    sourceValue: 'text',
    targets: {
      list: {
        record: {
          select: { record: targetFields },
          reject: { list: { record: targetFields } },
          fieldPaths: texts,
          options: fieldOptions,
        },
      },
    },
  },
}

export const replicaShape: RecordShape = { record: { name: 'text', count: 'integer' } }

export const sortShape: RecordShape = {
  record: { order: 'text', legacySortOptions: { record: { orderFirst: texts, orderLast: texts } } },
}

const chartFields: Fields = {
  name: 'text',
  version: 'text',
  repo: 'text',
  releaseName: 'text',
  namespace: 'text',
  additionalValuesFiles: texts,
  valuesFile: 'text',
  valuesInline: { map: 'any' },
  valuesMerge: 'text',
  includeCRDs: 'flag',
  skipHooks: 'flag',
  apiVersions: texts,
  kubeVersion: 'text',
  nameTemplate: 'text',
  skipTests: 'flag',
  debug: 'flag',
  devel: 'flag',
}

export const chartShape: RecordShape = {
  record: { ...chartFields, chartHome: 'text', configHome: 'text' },
}

const metadataShape: Shape = {
  record: { name: 'text', namespace: 'text', labels: textMap, annotations: textMap },
}

/** A whole kustomization file, deprecated fields too. */
export const kustomizationShape: Shape = {
  record: {
    apiVersion: 'text',
    kind: 'text',
    metadata: metadataShape,
    openapi: textMap,
    namePrefix: 'text',
    nameSuffix: 'text',
    namespace: 'text',
    commonLabels: textMap,
    labels: {
      list: {
        record: {
          pairs: textMap,
          includeSelectors: 'flag',
          includeTemplates: 'flag',
          includeVolumeClaimTemplates: 'flag',
          fields: { list: fieldSpecShape },
        },
      },
    },
    commonAnnotations: textMap,
    patchesStrategicMerge: texts,
    patchesJson6902: { list: patchShape },
    patches: { list: patchShape },
    images: { list: imageShape },
    imageTags: { list: imageShape },
    replacements: { list: replacementShape },
    replicas: { list: replicaShape },
    vars: {
      list: {
        record: {
          name: 'text',
          objref: {
            record: {
              apiVersion: 'text',
              group: 'text',
              version: 'text',
              kind: 'text',
              name: 'text',
              namespace: 'text',
            },
          },
          fieldref: { record: { fieldPath: 'text' } },
        },
      },
    },
    sortOptions: sortShape,
    resources: texts,
    components: texts,
    crds: texts,
    bases: texts,
    configMapGenerator: { list: configMapShape },
    secretGenerator: { list: secretShape },
    helmGlobals: { record: { chartHome: 'text', configHome: 'text' } },
    helmCharts: { list: { record: chartFields } },
    helmChartInflationGenerator: {
      list: {
        record: {
          chartName: 'text',
          chartVersion: 'text',
          chartRepoUrl: 'text',
          chartHome: 'text',
          chartRepoName: 'text',
          configHome: 'text',
          helmBin: 'text',
          helmHome: 'text',
          values: 'text',
          valuesLocal: { map: 'any' },
          valuesMerge: 'text',
          releaseName: 'text',
          releaseNamespace: 'text',
          extraArgs: texts,
        },
      },
    },
    generatorOptions: optionsShape,
    configurations: texts,
    generators: texts,
    transformers: texts,
    validators: texts,
    buildMetadata: texts,
  },
}
