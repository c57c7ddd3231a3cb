import type { SimulationPorts } from '../../../events/simulate/simulate.ts'
import { templateChecker, templateFiller } from '../../../events/template.ts'
import { triggerChecks } from '../../../events/triggers/checks.ts'
import { sprigFunctions } from '../../../lang/gotemplate/sprig/sprig.ts'
import { certificateMaker } from '../../../lib/certificates.ts'
import { systemClock } from '../../../lib/clock.ts'
import { systemIds } from '../../../lib/ids.ts'

const functions = sprigFunctions({ clock: systemClock, ids: systemIds, certificates: certificateMaker })

/** What Sensors are compiled with outside a cluster. */
export const simulationWorld: SimulationPorts['world'] = {
  fill: templateFiller(functions),
  template: templateChecker(functions),
  checks: triggerChecks,
}
