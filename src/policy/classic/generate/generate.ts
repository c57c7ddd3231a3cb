import type { KubeObject } from '../../../kube/object.ts'
import type { GeneratedResource } from '../../engine/rule-response.ts'
import { evaluateConditions } from '../conditions/conditions.ts'
import { type ContextOwner, loadContext } from '../context/load-context.ts'
import type { Scope } from '../context/scope.ts'
import { RuleFailure } from '../evaluation.ts'
import { parseKindSelector } from '../match/kind-selector.ts'
import { compileLabelMatcher } from '../match/label-selector.ts'
import { at, type Fields, fieldsOf, listOf, textMapOf, textOf, textsOf } from '../read.ts'
import { elementsOf, elementValues } from '../validate/check-resource.ts'
import { templateOf } from '../variables/template.ts'

/** What a generate rule says should exist because of the object of a request. */
export function generatedBy(block: Fields, scope: Scope, owner: ContextOwner): readonly GeneratedResource[] {
  const { foreach: loops, ...rest } = block
  if (!Array.isArray(loops)) return targetsOf(rest, rest, scope)
  return loops.flatMap((item) => {
    const loop = fieldsOf(item)
    return elementsOf(textOf(loop['list']), scope).flatMap((element, index) => {
      if (element === null || element === undefined) return []
      scope.charge(1, 0)
      const inner = scope.inner(elementValues(element, index, 0))
      loadContext(loop['context'], inner, owner)
      if (!evaluateConditions(loop['preconditions'], inner).holds) return []
      return targetsOf(patternOf(loop), rest, inner)
    })
  })
}

const patterns = new WeakMap<Fields, Fields>()

/** What a loop makes, without what says how often; the same loop gives the same object, so that it is read once. */
function patternOf(loop: Fields): Fields {
  const known = patterns.get(loop)
  if (known) return known
  const { list: _list, context: _context, preconditions: _preconditions, ...pattern } = loop
  patterns.set(loop, pattern)
  return pattern
}

function targetsOf(pattern: Fields, settings: Fields, scope: Scope): readonly GeneratedResource[] {
  const { apiVersion, kind, name, namespace, data, clone, cloneList } = pattern
  const filled = fieldsOf(
    scope.fill(templateOf(cached(pattern, { apiVersion, kind, name, namespace, data, clone, cloneList }))),
  )
  const how = {
    synchronize: settings['synchronize'] === true,
    orphanDownstreamOnPolicyDelete: settings['orphanDownstreamOnPolicyDelete'] === true,
    useServerSideApply: settings['useServerSideApply'] === true,
  }
  const list = fieldsOf(filled['cloneList'])
  if (textsOf(list['kinds']).length > 0) {
    return clonesOf(list, textOf(filled['namespace']), scope).map((resource) => ({ ...resource, ...how }))
  }
  const place = placeOf(filled)
  const source = fieldsOf(filled['clone'])
  if (textOf(source['name']) !== '') return [{ ...cloneOf(source, place, scope), ...how }]
  // Without data the bare object is made, such as a ServiceAccount.
  return [{ resource: withPlace(fieldsOf(filled['data']), place), ...how }]
}

const keptPatterns = new WeakMap<Fields, Fields>()

function cached(pattern: Fields, part: Fields): Fields {
  const known = keptPatterns.get(pattern)
  if (known) return known
  keptPatterns.set(pattern, part)
  return part
}

interface Place {
  readonly apiVersion: string
  readonly kind: string
  readonly name: string
  readonly namespace: string
}

function placeOf({ apiVersion, kind, name, namespace }: Fields): Place {
  const place = { apiVersion: textOf(apiVersion), kind: textOf(kind), name: textOf(name), namespace: textOf(namespace) }
  if (place.kind === '' || place.name === '')
    throw new RuleFailure('invalid', 'a generate rule needs the kind and the name of what it makes')
  return place
}

function withPlace(content: Fields, { apiVersion, kind, name, namespace }: Place): KubeObject {
  const metadata = fieldsOf(content['metadata'])
  return {
    ...content,
    apiVersion: apiVersion || textOf(content['apiVersion']),
    kind,
    metadata: { ...metadata, name, ...(namespace === '' ? {} : { namespace }) },
  }
}

/** What the server wrote of an object does not belong to a copy of it. */
function contentOf(object: Fields): Fields {
  const { status: _status, metadata, ...content } = object
  const { labels, annotations } = fieldsOf(metadata)
  return { ...content, metadata: { ...(labels ? { labels } : {}), ...(annotations ? { annotations } : {}) } }
}

function cloneOf(source: Fields, place: Place, scope: Scope): Pick<GeneratedResource, 'resource' | 'source'> {
  const { apiVersion, kind } = place
  const name = textOf(source['name'])
  const namespace = textOf(source['namespace'])
  const from = { apiVersion, kind, ...(namespace === '' ? {} : { namespace }), name }
  const found = scope.evaluation.fact({ what: 'object', ...from })
  if (found === null)
    throw new RuleFailure('invalid', `the source ${kind} ${namespace}/${name} of the clone does not exist`)
  return { resource: withPlace(contentOf(fieldsOf(found)), place), source: from }
}

function clonesOf(
  list: Fields,
  namespace: string,
  scope: Scope,
): readonly Pick<GeneratedResource, 'resource' | 'source'>[] {
  const from = textOf(list['namespace'])
  const matches = list['selector'] ? compileLabelMatcher(list['selector']) : undefined
  return textsOf(list['kinds']).flatMap((text) => {
    const { group, version, kind } = parseKindSelector(text)
    const apiVersion = group === '*' || group === '' ? (version === '*' ? 'v1' : version) : `${group}/${version}`
    const need = { what: 'objects', apiVersion, kind, ...(from === '' ? {} : { namespace: from }) } as const
    return listOf(scope.evaluation.fact(need))
      .map(fieldsOf)
      .filter((object) => !matches || matches(textMapOf(at(object, 'metadata', 'labels'))))
      .map((object) => {
        const name = textOf(at(object, 'metadata', 'name'))
        const source = { apiVersion, kind, ...(from === '' ? {} : { namespace: from }), name }
        return { resource: withPlace(contentOf(object), { apiVersion, kind, name, namespace }), source }
      })
  })
}
