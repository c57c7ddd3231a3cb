import { Buffer } from 'node:buffer'
import { describe, expect, test } from 'vitest'
import type { AdmissionRequest } from '../../kube/admission.ts'
import { applyJsonPatch } from '../../kube/patch/json-patch.ts'
import { failure } from '../../kube/status.ts'
import { denial } from '../admission/messages.ts'
import { answerTo, readReview } from './review.ts'

const object = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a', namespace: 'team' }, data: { a: '1' } }
const request = {
  uid: 'u-1',
  kind: { group: '', version: 'v1', kind: 'ConfigMap' },
  resource: { group: '', version: 'v1', resource: 'configmaps' },
  name: 'a',
  namespace: 'team',
  operation: 'CREATE',
  userInfo: { username: 'alice', groups: ['dev'], extra: { scope: ['x'] } },
  object,
  oldObject: null,
  dryRun: true,
  options: { kind: 'CreateOptions' },
}
const review = (more: object = {}): string =>
  JSON.stringify({ apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', request: { ...request, ...more } })

function read(text: string): AdmissionRequest {
  const result = readReview(text)
  if (!result.ok) throw new Error(result.error[0]?.message)
  return result.value
}

interface Response {
  readonly uid: string
  readonly allowed: boolean
  readonly patchType?: string
  readonly patch?: string
  readonly [field: string]: unknown
}

function responseOf(verdict: Parameters<typeof answerTo>[1], asked: AdmissionRequest = read(review())): Response {
  const answer = answerTo(asked, verdict)
  if (!answer.ok) throw new Error(answer.error[0]?.message)
  expect(answer.value).toMatchObject({ apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview' })
  return answer.value['response'] as unknown as Response
}

describe('a question', () => {
  test('is read with everything that admission knows', () => {
    expect(read(review())).toEqual({
      uid: 'u-1',
      operation: 'CREATE',
      kind: request.kind,
      resource: { group: '', version: 'v1', plural: 'configmaps' },
      namespace: 'team',
      name: 'a',
      user: { username: 'alice', groups: ['dev'], extra: { scope: ['x'] } },
      dryRun: true,
      options: { kind: 'CreateOptions' },
      object,
    })
  })

  test('about a subresource of something outside namespaces is read so', () => {
    const asked = read(review({ subResource: 'status', namespace: '', oldObject: object, operation: 'UPDATE' }))
    expect(asked).toMatchObject({ subresource: 'status', oldObject: object, operation: 'UPDATE' })
    expect(asked).not.toHaveProperty('namespace')
  })

  test('about a connection has options without metadata', () => {
    const options = { apiVersion: 'v1', kind: 'PodExecOptions', command: ['sh'] }
    expect(read(review({ operation: 'CONNECT', object: options })).object).toEqual({ ...options, metadata: {} })
  })

  test('keeps names of prototypes as data', () => {
    const text = review().replace('"scope":["x"]', '"__proto__":["x"],"constructor":["y"]')
    expect(Object.keys(read(text).user.extra ?? {})).toEqual(['__proto__', 'constructor'])
  })

  const list: readonly unknown[] = []
  test.each([
    ['no JSON', 'hello', ''],
    ['JSON of something else', '[]', 'kind'],
    ['another kind', JSON.stringify({ kind: 'Pod' }), 'kind'],
    ['an older version', review().replace('k8s.io/v1', 'k8s.io/v1beta1'), 'apiVersion'],
    ['no request', JSON.stringify({ apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview' }), 'request'],
    ['no uid', review({ uid: '' }), 'request.uid'],
    ['an unknown operation', review({ operation: 'PATCH' }), 'request.operation'],
    ['no kind', review({ kind: 'Pod' }), 'request.kind'],
    ['no resource', review({ resource: {} }), 'request.resource'],
    ['an object that is a list', review({ object: list }), 'request.object'],
    ['an object without a kind', review({ object: {} }), 'request.object'],
    ['odd metadata', review({ oldObject: { ...object, metadata: 1 } }), 'request.oldObject.metadata'],
  ])('that is %s is refused with its place', (_name, text, at) => {
    expect(readReview(text)).toMatchObject({ ok: false, error: [{ code: 'admission-review-invalid', at }] })
  })

  test('that is nested without end is refused', () => {
    const deep = review({ object: { ...object, data: 0 } }).replace(
      '"data":0',
      `"data":${'['.repeat(100_000)}${']'.repeat(100_000)}`,
    )
    expect(readReview(deep)).toMatchObject({ ok: false, error: [{ code: 'document-too-deep' }] })
  })
})

describe('an answer', () => {
  test('that nothing is in the way is short', () => {
    expect(responseOf({ allowed: true })).toEqual({ uid: 'u-1', allowed: true })
  })

  test('tells a change as a patch that makes the object', () => {
    const changed = { ...object, metadata: { ...object.metadata, labels: { 'a/b': 'c' } } }
    const { patch = '', patchType } = responseOf({ allowed: true, object: changed })
    expect(patchType).toBe('JSONPatch')
    const steps = JSON.parse(Buffer.from(patch, 'base64').toString('utf8')) as unknown
    expect(applyJsonPatch(object, steps)).toEqual({ ok: true, value: changed })
  })

  test('has no patch where nothing changed', () => {
    expect(responseOf({ allowed: true, object: structuredClone(object) })).toEqual({ uid: 'u-1', allowed: true })
  })

  test('carries warnings and what goes into the audit trail', () => {
    const told = { warnings: ['careful'], auditAnnotations: { a: 'b' } }
    expect(responseOf({ allowed: true, ...told })).toEqual({ uid: 'u-1', allowed: true, ...told })
  })

  test('refuses without the words that the API server adds', () => {
    const status = denial('validate.kyverno.svc-fail', 'No')
    expect(responseOf({ allowed: false, status, warnings: [] })).toEqual({
      uid: 'u-1',
      allowed: false,
      status: { status: 'Failure', message: 'No', code: 400 },
    })
  })

  test('keeps the reason of a refusal that has one', () => {
    expect(responseOf({ allowed: false, status: failure('Forbidden', 'x') })).toMatchObject({
      status: { message: 'x', reason: 'Forbidden', code: 403 },
    })
  })
})
