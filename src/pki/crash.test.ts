import { X509Certificate, createPrivateKey } from 'node:crypto'
import { expect, test } from 'vitest'
import type { KubeObject } from '../kube/object.ts'
import { memoryStore } from '../store/memory-store.ts'
import type { Store } from '../store/store.ts'
import { certificateRequests, certificates, secrets } from './objects.ts'
import { certificate, pkiWorld, textOf, withAuthority } from './pki.testkit.ts'

/** A store whose machine can be switched off after so many writes: from then on nothing is written any more. */
function mortal(store: Store<KubeObject>): {
  readonly store: Store<KubeObject>
  dieAfter(writes: number): void
  readonly isDead: () => boolean
} {
  let left = Number.POSITIVE_INFINITY
  const proxy = new Proxy(store, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name, target)
      if (typeof member !== 'function') return member
      if (name !== 'put' && name !== 'delete') return member.bind(target) as unknown
      return (...args: readonly unknown[]): unknown => {
        left -= 1
        if (left < 0) return new Promise(() => {})
        return Reflect.apply(member, target, args) as unknown
      }
    },
  })
  return { store: proxy, dieAfter: (writes) => (left = writes), isDead: () => left < 0 }
}

/** Whether a Secret is whole: a key with its own certificate and the authority. */
function isWhole(secret: KubeObject): boolean {
  const leaf = new X509Certificate(textOf(secret, 'tls.crt'))
  const authority = new X509Certificate(textOf(secret, 'ca.crt'))
  return leaf.checkPrivateKey(createPrivateKey(textOf(secret, 'tls.key'))) && leaf.verify(authority.publicKey)
}

test.each(Array.from({ length: 20 }, (_, writes) => writes))(
  'a machine that dies after %i writes of an issuance leaves no half Secret, and the next start ends it',
  async (writes) => {
    const memory = memoryStore<KubeObject>()
    const machine = mortal(memory)
    const before = await pkiWorld({ store: machine.store })
    await withAuthority(before)
    machine.dieAfter(writes + 1)
    await before.create(certificates, certificate('web'))
    for (let turn = 0; turn < 20_000 && !machine.isDead(); turn++) await before.clock.advance(turn % 100 === 99 ? 1 : 0)
    void before.stop()
    const after = await pkiWorld({ store: memory, startMs: before.clock.now() + 60_000 })
    const left = await after.get(secrets, 'web-tls', 'default')
    expect(left === undefined || isWhole(left)).toBe(true)
    await after.ready('web')
    const secret = await after.get(secrets, 'web-tls', 'default')
    expect(secret && isWhole(secret)).toBe(true)
    await after.until('nothing is left over', async () => {
      const names = (await after.list(secrets, 'default')).map(({ metadata }) => metadata.name)
      return names.length === 2 && (await after.list(certificateRequests, 'default')).length === 2 ? true : undefined
    })
    await after.stop()
  },
)
