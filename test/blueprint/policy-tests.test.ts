import { join } from 'node:path'
import { expect, test } from 'vitest'
import { idp } from '../stories/idp.ts'

const policies = join(import.meta.dirname, '..', '..', 'blueprint', 'Policies')

test('the tests that come with the policies of the blueprint pass, and each policy has some', async () => {
  const { code, stdout, stderr } = await idp(['policy', 'test', policies])
  expect(stderr).toBe('')
  expect(stdout).toMatch(/Test Summary: \d+ tests passed and 0 tests failed/)
  expect(code).toBe(0)
  for (const name of [
    'namespace-labels',
    'namespace-governance',
    'component-labels',
    'resource-requests',
    'priority-class',
    'service-account',
    'image-tag',
    'standard-labels',
    'team-defaults',
    'team-routes',
  ]) {
    expect(stdout, name).toMatch(new RegExp(`^\\d+ +${name} `, 'm'))
  }
})

test('nothing in the policies of the blueprint is questionable', async () => {
  const files = ['namespaces', 'workloads', 'labels', 'teams'].map((folder) => join(policies, folder))
  const { code, stdout } = await idp(['policy', 'lint', ...files])
  expect(stdout).toMatch(/10 policies, 0 problems, 0 warnings/)
  expect(code).toBe(0)
})
