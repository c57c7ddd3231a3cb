import { expect, test } from 'vitest'
import { parseImageReference } from './image-reference.ts'

const digest = `sha256:${'a'.repeat(64)}`

test.each([
  ['nginx', 'index.docker.io', 'library/nginx', 'latest', ''],
  ['docker.io/nginx:1.2', 'index.docker.io', 'library/nginx', '1.2', ''],
  ['ghcr.io/team/app:v1', 'ghcr.io', 'team/app', 'v1', ''],
  ['localhost/app', 'localhost', 'app', 'latest', ''],
  ['localhost:5000/a/b', 'localhost:5000', 'a/b', 'latest', ''],
  ['team/app', 'index.docker.io', 'team/app', 'latest', ''],
  [`ghcr.io/app@${digest}`, 'ghcr.io', 'app', '', digest],
  [`ghcr.io/app:v1@${digest}`, 'ghcr.io', 'app', '', digest],
])('%s is read', (text, registry, repository, tag, hash) => {
  expect(parseImageReference(text)).toEqual({ ok: true, value: { text, registry, repository, tag, digest: hash } })
})

test.each(['', 'Nginx', 'nginx:', 'a@b', 'a@sha256:12', 'a b', `${'a'.repeat(5_000)}`, 'a@b@c', 'ghcr.io/x:y z'])(
  '%j is refused',
  (text) =>
    expect(parseImageReference(text)).toMatchObject({ ok: false, error: [{ code: 'image-reference-invalid' }] }),
)
