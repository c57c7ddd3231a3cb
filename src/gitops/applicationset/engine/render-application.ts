import { own } from '../../../lib/json.ts'
import { type Result, succeed } from '../../../lib/result.ts'
import { fieldsOf, textOf, textsOf } from '../../fields.ts'
import type { Fields } from './generator.ts'
import type { Params } from './params.ts'
import type { Replace, TemplateDialect } from './renderer.ts'
import { renderDeep } from './render-deep.ts'

/** Makes an Application go with its objects when it is deleted. */
export const RESOURCES_FINALIZER = 'resources-finalizer.argocd.argoproj.io'

/** The Application that a template describes, before anything is filled in. */
export function templateApplication(template: Fields): Fields {
  const metadata = fieldsOf(template, 'metadata')
  const kept = ['name', 'namespace', 'labels', 'annotations', 'finalizers'].flatMap((field) => {
    const value = own(metadata, field)
    return value === undefined || value === null ? [] : [[field, value] as const]
  })
  return {
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'Application',
    metadata: Object.fromEntries(kept),
    spec: fieldsOf(template, 'spec'),
  }
}

export interface RenderOptions {
  readonly replace: Replace
  readonly dialect: TemplateDialect
  readonly preserveResourcesOnDeletion: boolean
}

/** An Application with parameters filled in; without parameters it stays as it is (applicationset/utils RenderTemplateParams). */
export function renderApplication(template: Fields, params: Params, options: RenderOptions): Result<Fields> {
  if (Object.keys(params).length === 0) return succeed(template)
  const { replace, dialect } = options
  const rendered = renderDeep(template, { replace, params, dialect })
  if (!rendered.ok) return rendered
  const application = rendered.value as Fields // a map stays a map
  const metadata = fieldsOf(application, 'metadata')
  const hasFinalizers = (textsOf(metadata, 'finalizers')?.length ?? 0) > 0
  if (options.preserveResourcesOnDeletion || hasFinalizers) return succeed(application)
  return succeed({ ...application, metadata: { ...metadata, finalizers: [RESOURCES_FINALIZER] } })
}

/** The project of a template, '' where it is itself a template. */
export function projectOf(template: Fields): string {
  const project = textOf(fieldsOf(template, 'spec'), 'project')
  return project.includes('{{') ? '' : project
}
