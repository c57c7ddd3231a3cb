import type { Area } from '../figure.ts'
import { storeFigures } from './cluster-store.ts'

/** The embedded cluster: the store below, the API server above it. */
export const cluster: Area = {
  name: 'cluster',
  async run(report) {
    await storeFigures(report)
  },
}
