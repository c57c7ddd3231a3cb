import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { Attributes } from '../auth/attributes.ts'
import { auditEvent, type Audited } from './event.ts'
import { openFileLog } from './file-log.ts'
import { type AuditRule, auditLevelOf, usualAuditRules } from './policy.ts'

const user = { username: 'ann', groups: ['ops', 'system:authenticated'] }
const asks = (verb: string, plural: string, more: object = {}): Attributes => ({
  user,
  verb,
  group: '',
  version: 'v1',
  plural,
  namespace: 'team',
  ...more,
})

describe('the level of a request', () => {
  test.each([
    ['a change is noted', asks('create', 'configmaps'), 'Metadata'],
    ['reading is not', asks('list', 'secrets'), 'None'],
    ['leases are noise', asks('update', 'leases', { group: 'coordination.k8s.io' }), 'None'],
    ['health is noise', { user, verb: 'get', path: '/readyz/ping' }, 'None'],
  ] satisfies [string, Attributes, string][])('usually: %s', (_name, attributes, want) => {
    expect(auditLevelOf(usualAuditRules, attributes)).toBe(want)
  })

  const rules: readonly AuditRule[] = [
    { level: 'None', users: ['system:robot'] },
    { level: 'Request', resources: [{ group: '', resources: ['pods/*', 'configmaps'], resourceNames: ['a'] }] },
    { level: 'RequestResponse', resources: [{ group: '', resources: ['pods'] }], namespaces: ['team'] },
    { level: 'Metadata', userGroups: ['ops'], nonResourceURLs: ['/logs*'] },
  ]
  test.each([
    ['by user', { ...asks('get', 'pods'), user: { username: 'system:robot', groups: [] } }, 'None'],
    ['by subresource and name', asks('create', 'pods', { subresource: 'exec', name: 'a' }), 'Request'],
    ['by resource and namespace', asks('get', 'pods', { name: 'a' }), 'RequestResponse'],
    ['not in another namespace', asks('get', 'pods', { namespace: 'other' }), 'None'],
    ['by group and path', { user, verb: 'get', path: '/logs/x' }, 'Metadata'],
    ['nothing fits', asks('get', 'services'), 'None'],
  ] satisfies [string, Attributes, string][])('by rules: %s', (_name, attributes, want) => {
    expect(auditLevelOf(rules, attributes)).toBe(want)
  })
})

describe('the event', () => {
  const audited: Audited = {
    id: 'x',
    level: 'RequestResponse',
    attributes: asks('create', 'configmaps', { name: 'a' }),
    uri: '/api/v1/namespaces/team/configmaps',
    receivedAtMs: 0,
    answeredAtMs: 5,
    code: 201,
    request: { kind: 'ConfigMap', metadata: { name: 'a', managedFields: [{}] }, data: { k: 'v' } },
    response: { kind: 'ConfigMap', metadata: { name: 'a' } },
  }
  test('says who did what to what, and what came of it', () => {
    expect(auditEvent(audited)).toMatchObject({
      kind: 'Event',
      verb: 'create',
      user: { username: 'ann' },
      objectRef: { resource: 'configmaps', namespace: 'team', name: 'a', apiVersion: 'v1' },
      responseStatus: { code: 201 },
      requestObject: { metadata: { name: 'a' }, data: { k: 'v' } },
      requestReceivedTimestamp: '1970-01-01T00:00:00.000000Z',
      stageTimestamp: '1970-01-01T00:00:00.005000Z',
    })
  })
  test('names both users of an impersonation', () => {
    expect(auditEvent({ ...audited, impersonatedBy: { username: 'root', groups: [] } })).toMatchObject({
      user: { username: 'root' },
      impersonatedUser: { username: 'ann' },
    })
  })
  test.each([
    ['secrets', undefined],
    ['tokenreviews', undefined],
    ['serviceaccounts', 'token'],
  ])('never holds the body of %s/%s', (plural, subresource) => {
    const event = auditEvent({
      ...audited,
      attributes: asks('create', plural, subresource ? { subresource } : {}),
      request: { data: { password: 'hunter2' } },
      response: { status: { token: 'hunter2' } },
    })
    expect(JSON.stringify(event)).not.toContain('hunter2')
  })
})

describe('the log file', () => {
  test('is only for its owner, holds a line an event, and rotates when full', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'idp-audit-'))
    const path = join(folder, 'audit.log')
    const log = openFileLog(path, 100)
    for (let round = 0; round < 6; round++) {
      log.write({ round, text: 'x'.repeat(60) })
      await new Promise((resolve) => setImmediate(resolve))
    }
    log.write({ round: 'last' })
    log.close()
    expect(statSync(path).mode & 0o777).toBe(0o600)
    expect(readdirSync(folder).toSorted()).toEqual(['audit.log', 'audit.log.1', 'audit.log.2', 'audit.log.3'])
    expect(readFileSync(path, 'utf8')).toBe('{"round":"last"}\n')
    expect(readFileSync(`${path}.1`, 'utf8').trim().split('\n')).toHaveLength(2)
    rmSync(folder, { recursive: true })
  })
})
