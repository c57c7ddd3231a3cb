import type { Area } from '../figure.ts'
import { celFigures } from './core-cel.ts'
import { patchFigures } from './core-patch.ts'
import { schemaFigures } from './core-schema.ts'
import { yamlFigures } from './core-yaml.ts'

/** The pure engines that every request goes through. */
export const core: Area = {
  name: 'core',
  async run(report) {
    celFigures(report)
    patchFigures(report)
    schemaFigures(report)
    yamlFigures(report)
  },
}
