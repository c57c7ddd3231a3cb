import { createSecureContext, type SecureContext } from 'node:tls'
import type { ClientValidation, KeyPair, Listener } from '../table/table.ts'
import { coversHost } from '../table/hostname.ts'

/** How many contexts are kept; certificates that are renewed leave old ones behind. */
const MOST = 2_000

/** Contexts of TLS by certificate, made once. */
export class TlsContexts {
  readonly #made = new Map<string, SecureContext>()

  /** The context for a name that a client asked for: of the certificates that are for it, or of the first one. */
  of(
    { certificates }: Listener,
    name: string | undefined,
    clients: ClientValidation | undefined,
  ): SecureContext | undefined {
    const fitting = name === undefined ? [] : certificates.filter(({ names }) => names.some((one) => isFor(one, name)))
    const used = fitting.length > 0 ? fitting : certificates.slice(0, 1)
    return used.length === 0 ? undefined : this.#context(used, clients)
  }

  #context(pairs: readonly KeyPair[], clients: ClientValidation | undefined): SecureContext {
    const id = [...pairs.map((pair) => pair.id), clients?.id ?? ''].join(' ')
    const known = this.#made.get(id)
    if (known) return known
    const made = createSecureContext({
      cert: pairs.map(({ cert }) => cert),
      key: pairs.map(({ key }) => key),
      minVersion: 'TLSv1.2',
      ...(clients ? { ca: clients.authorities } : {}),
    })
    if (this.#made.size >= MOST) this.#made.clear()
    this.#made.set(id, made)
    return made
  }
}

/** A star in a certificate stands for one label, so it is no closer than the name itself. */
const isFor = (pattern: string, name: string): boolean =>
  coversHost(pattern, name) && (!pattern.startsWith('*.') || name.split('.').length === pattern.split('.').length)
