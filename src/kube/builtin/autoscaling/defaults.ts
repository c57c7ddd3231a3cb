import { type Fields, fieldsOf, type Fill, type FillTable, listOf, withAbsent, withField } from '../defaulting.ts'

// Semantics: kubernetes 1.36, pkg/apis/autoscaling/v2/defaults.go.

const percent = { type: 'Percent', value: 100, periodSeconds: 15 } as const

const behavior = (object: Fields): Fields => {
  const scaleUp = withAbsent(fieldsOf(object['scaleUp']), {
    stabilizationWindowSeconds: 0,
    selectPolicy: 'Max',
    policies: [{ type: 'Pods', value: 4, periodSeconds: 15 }, percent],
  })
  const scaleDown = withAbsent(fieldsOf(object['scaleDown']), { selectPolicy: 'Max', policies: [percent] })
  return withField(withField(object, 'scaleUp', scaleUp), 'scaleDown', scaleDown)
}

const autoscaler: Fill = (object) => {
  const spec = withAbsent(fieldsOf(object['spec']), { minReplicas: 1 })
  const metrics = listOf(spec['metrics'])
  const target = { type: 'Utilization', averageUtilization: 80 }
  const measured =
    metrics.length > 0 ? spec : { ...spec, metrics: [{ type: 'Resource', resource: { name: 'cpu', target } }] }
  const rules = measured['behavior']
  const filled = rules === undefined ? measured : withField(measured, 'behavior', behavior(fieldsOf(rules)))
  return withField(object, 'spec', filled)
}

/** Defaults of the autoscaling group by type. */
export const autoscalingDefaults: FillTable = {
  'io.k8s.api.autoscaling.v2.HorizontalPodAutoscaler': autoscaler,
  'io.k8s.api.autoscaling.v1.HorizontalPodAutoscaler': (object) =>
    withField(
      object,
      'spec',
      withAbsent(fieldsOf(object['spec']), { minReplicas: 1, targetCPUUtilizationPercentage: 80 }),
    ),
}
