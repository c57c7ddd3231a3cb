import { celEnv, parse as bufParse, plan as bufPlan } from '@bufbuild/cel'
import { Environment as PeerEnvironment } from '@marcbachmann/cel-js'
import { compile } from '../../src/lang/cel/cel.ts'
import { Environment } from '../../src/lang/cel/environment.ts'
import { libraries } from '../../src/lang/cel/libraries.ts'
import { dynType } from '../../src/lang/cel/type.ts'
import { type Figure, perSecond } from '../figure.ts'

const container = (index: number): object => ({
  name: `container-${index}`,
  image: `registry.example.com/team/app-${index}:1.2.${index}`,
  securityContext: { runAsNonRoot: true, allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
  resources: { limits: { cpu: '500m', memory: '256Mi' } },
})

/** An object as an admission request holds it; numbers are ints to everybody who can be told so. */
const object = {
  metadata: { name: 'web', namespace: 'shop', labels: { app: 'web', team: 'shop', tier: 'front' } },
  spec: { minReplicas: 2n, maxReplicas: 10n, template: { spec: { containers: [0, 1, 2, 3].map(container) } } },
}
/** The same, with the numbers that JSON has. */
const json = { ...object, spec: { ...object.spec, minReplicas: 2, maxReplicas: 10 } }

const expressions: readonly (readonly [string, string])[] = [
  [
    'containers with all and exists',
    "object.spec.template.spec.containers.all(c, has(c.securityContext) && c.securityContext.runAsNonRoot == true && !c.securityContext.allowPrivilegeEscalation && c.securityContext.capabilities.drop.exists(d, d == 'ALL'))",
  ],
  [
    'strings',
    "object.spec.template.spec.containers.all(c, c.image.startsWith('registry.example.com/') && !c.image.endsWith(':latest') && c.image.contains('/team/'))",
  ],
  [
    'arithmetic',
    'object.spec.minReplicas <= object.spec.maxReplicas && object.spec.maxReplicas - object.spec.minReplicas < 20 && object.spec.minReplicas * 2 + 1 > 3',
  ],
  [
    'map lookups',
    "object.metadata.labels['app'] == object.metadata.name && 'team' in object.metadata.labels && object.metadata.labels.team == object.metadata.namespace",
  ],
  [
    'has',
    'has(object.metadata.labels) && has(object.metadata.labels.tier) && !has(object.metadata.annotations) && has(object.spec.template)',
  ],
]

/** Compiled evaluations and compilations a second, next to the other two engines for JavaScript. */
export function celFigures(report: (figure: Figure) => void): void {
  const environment = new Environment({ libraries: [...libraries.values()], variables: { object: dynType } })
  const peer = new PeerEnvironment().registerVariable('object', 'dyn')
  const buf = celEnv()
  for (const [name, source] of expressions) {
    const program = compile(environment, source)
    if (!program.ok) throw new Error(`cannot compile ${source}: ${program.error[0]?.message}`)
    const own = (): unknown => program.value.evaluate({ object: json })
    const theirs = peer.parse(source)
    const bufProgram = bufPlan(buf, bufParse(source))
    const first = program.value.evaluate({ object: json })
    const answers = [first.ok && first.value.value, theirs({ object }), bufProgram({ object } as never)]
    if (answers.some((answer) => answer !== true))
      throw new Error(`the engines disagree about ${source}: ${answers.join(', ')}`)
    report({
      name: `cel: ${name}`,
      value: perSecond(own),
      unit: 'evaluations/s',
      peers: {
        '@marcbachmann/cel-js': perSecond(() => theirs({ object })),
        '@bufbuild/cel': perSecond(() => bufProgram({ object } as never)),
      },
    })
  }
  const [, source] = expressions[0] ?? ['', '']
  report({
    name: 'cel: parse, check and compile',
    value: perSecond(() => compile(environment, source)),
    unit: 'expressions/s',
    peers: {
      '@marcbachmann/cel-js': perSecond(() => peer.parse(source)),
      '@bufbuild/cel (no check)': perSecond(() => bufPlan(buf, bufParse(source))),
    },
  })
}
