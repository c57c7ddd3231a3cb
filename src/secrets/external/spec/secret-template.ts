import { type Fields, fieldsOf, objectsOf, textMapOf, textOf, textsOf } from '../../../lib/fields.ts'
import { own } from '../../../lib/json.ts'

/** Templates from elsewhere. */
export interface TemplateFrom {
  readonly source:
    | { readonly kind: 'ConfigMap' | 'Secret'; readonly name: string; readonly items: readonly TemplateItem[] }
    | { readonly kind: 'literal'; readonly text: string }
  readonly target: string
  readonly valuesDecodingStrategy: string
}

export interface TemplateItem {
  readonly key: string
  readonly templateAs: string
}

/** What the Secret is made of, besides the data as they are. */
export interface SecretTemplate {
  readonly type: string
  readonly engineVersion: string
  readonly mergePolicy: string
  readonly data: ReadonlyMap<string, string>
  readonly labels: ReadonlyMap<string, string>
  readonly annotations: ReadonlyMap<string, string>
  readonly finalizers: readonly string[]
  readonly templateFrom: readonly TemplateFrom[]
}

function templateFromOf(item: Fields): readonly TemplateFrom[] {
  const shared = {
    target: textOf(item, 'target') || 'Data',
    valuesDecodingStrategy: textOf(item, 'valuesDecodingStrategy'),
  }
  const named = (field: string, kind: 'ConfigMap' | 'Secret'): readonly TemplateFrom[] => {
    const ref = fieldsOf(item, field)
    const items = (objectsOf(ref, 'items') ?? []).map((one) => ({
      key: textOf(one, 'key'),
      templateAs: textOf(one, 'templateAs') || 'Values',
    }))
    return own(item, field) === undefined ? [] : [{ ...shared, source: { kind, name: textOf(ref, 'name'), items } }]
  }
  const literal = own(item, 'literal')
  return [
    ...named('configMap', 'ConfigMap'),
    ...named('secret', 'Secret'),
    ...(typeof literal === 'string' ? [{ ...shared, source: { kind: 'literal', text: literal } as const }] : []),
  ]
}

/** The template of an ExternalSecret or a PushSecret. */
export function parseTemplate(template: Fields): SecretTemplate {
  const metadata = fieldsOf(template, 'metadata')
  return {
    type: textOf(template, 'type'),
    engineVersion: textOf(template, 'engineVersion') || 'v2',
    mergePolicy: textOf(template, 'mergePolicy') || 'Replace',
    data: textMapOf(template, 'data'),
    labels: textMapOf(metadata, 'labels'),
    annotations: textMapOf(metadata, 'annotations'),
    finalizers: textsOf(metadata, 'finalizers') ?? [],
    templateFrom: (objectsOf(template, 'templateFrom') ?? []).flatMap(templateFromOf),
  }
}
