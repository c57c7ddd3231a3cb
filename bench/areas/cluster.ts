import type { Area } from '../figure.ts'
import { apiFigures } from './cluster-api.ts'
import { storeFigures } from './cluster-store.ts'

/** The embedded cluster: the store below, the API server above it. */
export const cluster: Area = {
  name: 'cluster',
  async run(report) {
    await storeFigures(report)
    await apiFigures(report)
  },
}
