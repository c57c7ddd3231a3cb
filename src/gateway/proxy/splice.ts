import type { Duplex } from 'node:stream'

/** Joins two connections: what one says the other hears, and when one breaks the other ends. */
export function splice(near: Duplex, far: Duplex, onEnd?: () => void): void {
  let isOver = false
  const end = (): void => {
    near.destroy()
    far.destroy()
    if (!isOver) onEnd?.()
    isOver = true
  }
  for (const side of [near, far]) {
    side.on('error', end)
    side.on('close', end)
  }
  near.pipe(far)
  far.pipe(near)
}
