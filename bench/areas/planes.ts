import type { Area } from '../figure.ts'
import { externalPlane } from './planes-external.ts'
import { planesGateway } from './planes-gateway.ts'
import { planesPki } from './planes-pki.ts'
import { planesSecrets } from './planes-secrets.ts'

/** The data planes: what requests, secrets and certificates go through. */
export const planes: Area = {
  name: 'planes',
  async run(report) {
    await planesGateway(report)
    await planesSecrets(report)
    await planesPki(report)
    await externalPlane(report)
  },
}
