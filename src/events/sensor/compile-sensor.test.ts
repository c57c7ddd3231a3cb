import { expect, test } from 'vitest'
import { explain } from '../../lib/result.ts'
import { compileSensor } from './compile-sensor.ts'
import { testSensor, testWorld } from './sensor.testkit.ts'

const dependency = (more: object): object => ({
  dependencies: [{ name: 'a', eventSourceName: 'web', eventName: 'a', ...more }],
})
const filters = (of: object): object => dependency({ filters: of })
const data = (of: object): object => filters({ data: [{ path: 'x', type: 'string', value: ['y'], ...of }] })
const trigger = (more: object, template: object = {}): object => ({
  triggers: [{ template: { name: 'tell', log: {}, ...template }, ...more }],
})
const parameter = (more: object): object =>
  trigger({ parameters: [{ src: { dependencyName: 'a', dataKey: 'x' }, dest: 'log.intervalSeconds', ...more }] })

test('a plain Sensor is compiled: every dependency is needed, and firing is at least once', () => {
  const { compiled, warnings } = compileSensor(testSensor(), testWorld)
  expect(warnings).toEqual([])
  expect(compiled).toMatchObject({ busName: 'default', serviceAccount: 'default', uid: 'uid-1' })
  expect(compiled?.triggers).toMatchObject([
    {
      name: 'tell',
      kind: 'log',
      atLeastOnce: true,
      intervalMs: 0,
      condition: { names: ['a', 'b'] },
      retry: { steps: 1 },
    },
  ])
})

test('null is as good as absent', () => {
  const spec = { ...dependency({ filters: null, transform: null }), ...trigger({ policy: null, atLeastOnce: null }) }
  expect(compileSensor(testSensor(spec), testWorld).compiled?.triggers).toMatchObject([{ atLeastOnce: true }])
})

test.each<readonly [string, object, string]>([
  ['no dependency', { dependencies: [] }, 'spec.dependencies: a Sensor must have at least one dependency'],
  ['dependencies that are no list', { dependencies: {} }, 'spec.dependencies must be a list'],
  [
    'a dependency without a name',
    dependency({ name: '' }),
    'spec.dependencies[0].name: a dependency must say its name',
  ],
  ['a dependency without an event', dependency({ eventName: undefined }), 'must say its eventName'],
  ['a glob that is none', dependency({ eventName: '{a' }), 'spec.dependencies[0].eventName'],
  [
    'two dependencies of a name',
    { dependencies: ['x', 'y'].map((eventName) => ({ name: 'a', eventSourceName: 'web', eventName })) },
    'spec.dependencies[1]: there is a dependency named "a" already',
  ],
  ['an operator that is none', dependency({ filtersLogicalOperator: 'xor' }), '"xor" is not a logical operator'],
  [
    'an expression without fields',
    filters({ exprs: [{ expr: 'a == 1' }] }),
    'must have expr and at least one of fields',
  ],
  [
    'an expression that is none',
    filters({ exprs: [{ expr: 'a ==', fields: [{ name: 'a', path: 'x' }] }] }),
    'filters.exprs[0].expr: "a ==" is no expression',
  ],
  [
    'an expression with a name from nowhere',
    filters({ exprs: [{ expr: 'a == b', fields: [{ name: 'a', path: 'x' }] }] }),
    'b in "a == b" is not among fields (a)',
  ],
  ['a pattern that is none', data({ value: ['('] }), 'filters.data[0].value[0]: cannot compile the pattern'],
  ['a number that is none', data({ type: 'number', value: ['many'] }), '"many" is not a number'],
  ['a truth that is none', data({ type: 'bool', value: ['perhaps'] }), '"perhaps" is not true or false'],
  ['a type that is none', data({ type: 'date' }), 'filters.data[0].type: type "date" is not one of'],
  ['no values', data({ value: [] }), 'must have path, type and at least one value'],
  ['values of another type', data({ value: 'x' }), 'spec.dependencies[0].filters.data[0].value must be a list'],
  ['a comparator that is none', data({ comparator: '<>' }), '"<>" is not a comparator'],
  ['texts compared by size', data({ comparator: '>' }), 'texts cannot be compared by >'],
  ['a template that is none', data({ template: '{{ .Input' }), 'filters.data[0].template'],
  ['a context filter that wants nothing', filters({ context: {} }), 'or no event passes'],
  ['a time that is none', filters({ time: { start: '9 am', stop: '17:00:00' } }), '"9 am" is not a time of the day'],
  ['a window of no length', filters({ time: { start: '09:00:00', stop: '09:00:00' } }), 'so that no event passes'],
  [
    'a time zone that is none',
    filters({ time: { start: '09:00:00', stop: '10:00:00', timezone: 'Mars/Base' } }),
    'no time zone',
  ],
  ['a script that is none', filters({ script: 'return (' }), 'spec.dependencies[0].filters.script: filter:1:'],
  ['a transform that is no jq', dependency({ transform: { jq: '.a |' } }), 'transform.jq'],
  ['a transform that is no Lua', dependency({ transform: { script: 'end' } }), 'transform.script'],
  [
    'two transforms',
    dependency({ transform: { jq: '.', script: 'return event' } }),
    'a transform has jq or script, not both',
  ],
  ['no triggers', { triggers: [] }, 'spec.triggers: a Sensor must have at least one trigger'],
  ['a trigger without a template', { triggers: [{}] }, 'spec.triggers[0].template: a trigger must have a template'],
  ['a trigger without a name', trigger({}, { name: '' }), 'a trigger must have a name'],
  ['a trigger that does nothing', trigger({}, { log: undefined }), 'spec.triggers[0].template: nothing to do'],
  ['a trigger that does two things', trigger({}, { http: {} }), 'spec.triggers[0].template: two things to do'],
  [
    'two triggers of a name',
    { triggers: [1, 2].map(() => ({ template: { name: 'tell', log: {} } })) },
    'spec.triggers[1]: there is a trigger named "tell" already',
  ],
  [
    'a condition that is none',
    trigger({}, { conditions: 'a &&' }),
    'spec.triggers[0].template.conditions: "a &&" is no condition',
  ],
  [
    'a condition on a stranger',
    trigger({}, { conditions: 'a && c' }),
    '"c" at position 6 is not the name of a dependency',
  ],
  ['a condition that cannot hold', trigger({}, { conditions: 'a && !a' }), 'would never fire'],
  ['a reset that is none', trigger({}, { conditionsReset: [{}] }), 'conditionsReset must have byTime'],
  ['a reset at no time', trigger({}, { conditionsReset: [{ byTime: { cron: '61 * * * *' } }] }), 'out of its range'],
  [
    'a reset by a word',
    trigger({}, { conditionsReset: [{ byTime: { cron: '@daily' } }] }),
    'not a schedule of five fields',
  ],
  [
    'a reset in no zone',
    trigger({}, { conditionsReset: [{ byTime: { cron: '0 0 * * *', timezone: 'Mars/Base' } }] }),
    'no time zone "Mars/Base"',
  ],
  ['a rate of nothing', trigger({ rateLimit: { requestsPerUnit: 0 } }), '0 is not a number of requests'],
  ['a rate in no unit', trigger({ rateLimit: { unit: 'Day', requestsPerUnit: 1 } }), '"Day" is not one of'],
  [
    'a backoff of no duration',
    trigger({ retryStrategy: { duration: 'soon' } }),
    'spec.triggers[0].retryStrategy.duration',
  ],
  ['a factor that is none', trigger({ retryStrategy: { factor: 'x' } }), '"x" is not a factor'],
  ['a policy without labels', trigger({ policy: { k8s: {} } }, { log: undefined, k8s: {} }), 'must name the labels'],
  ['a policy of another kind', trigger({ policy: { status: { allow: [200] } } }), 'gets no HTTP status'],
  [
    'a parameter of a stranger',
    parameter({ src: { dependencyName: 'c', dataKey: 'x' } }),
    '"c" is not the name of a dependency (there is a, b)',
  ],
  ['a parameter of nobody', parameter({ src: { dataKey: 'x' } }), 'must name the dependency that it reads'],
  ['a parameter without a source', parameter({ src: undefined }), 'a parameter needs src'],
  ['a parameter to nowhere', parameter({ dest: '' }), 'must say where its value is put'],
  ['a parameter in no way', parameter({ operation: 'merge' }), '"merge" is not an operation'],
  [
    'a parameter with a broken template',
    parameter({ src: { dependencyName: 'a', dataTemplate: '{{ if }}' } }),
    'src.dataTemplate',
  ],
  [
    'a parameter of what is made',
    trigger({}, { log: undefined, k8s: { parameters: [{ src: { dependencyName: 'z' }, dest: 'x' }] } }),
    'spec.triggers[0].template.k8s.parameters[0].src.dependencyName: "z"',
  ],
  [
    'a payload that is no list',
    trigger({}, { log: undefined, http: { payload: {} } }),
    'spec.triggers[0].template.http.payload must be a list',
  ],
  [
    'dead letters without atLeastOnce',
    trigger({ atLeastOnce: false, dlqTrigger: { template: { name: 'dead', log: {} } } }),
    'must not set atLeastOnce to false',
  ],
  [
    'dead letters of dead letters',
    trigger({ dlqTrigger: { template: { name: 'd', log: {} }, dlqTrigger: { template: { name: 'e', log: {} } } } }),
    'a dlqTrigger has none of its own',
  ],
  [
    'a broken trigger for dead letters',
    trigger({ dlqTrigger: { template: { name: 'd' } } }),
    'spec.triggers[0].dlqTrigger.template: nothing to do',
  ],
])('%s is refused', (_, spec, message) => {
  const { compiled, dependencies, triggers } = compileSensor(testSensor(spec), testWorld)
  expect(compiled).toBeUndefined()
  expect([...dependencies, ...triggers].map(explain).join('\n')).toContain(message)
})

test('dependencies and triggers are told apart, and everything that is wrong is told', () => {
  const spec = { ...filters({ script: 'end' }), ...trigger({ rateLimit: { unit: 'Day' } }, { conditions: '&&' }) }
  const { dependencies, triggers } = compileSensor(testSensor(spec), testWorld)
  expect(dependencies.map(({ at }) => at)).toEqual(['spec.dependencies[0].filters.script'])
  expect(triggers.map(({ at }) => at)).toEqual([
    'spec.triggers[0].template.conditions',
    'spec.triggers[0].rateLimit.unit',
  ])
})

test('what does nothing is warned about', () => {
  const spec = {
    ...trigger({ atLeastOnce: false, retryStrategy: { steps: 3 }, condition: 'a' }, { conditions: 'a' }),
    template: { serviceAccountName: 'acts', container: {} },
    replicas: 2,
  }
  expect(compileSensor(testSensor(spec), testWorld).warnings).toEqual([
    'spec.triggers[0].condition is not a field of a Sensor and is ignored',
    'no trigger waits for the dependency "b"',
    'the trigger "tell" has a retryStrategy, but atLeastOnce: false tries once',
    "spec.template.container: a Sensor runs in the platform's process and has no Pod",
  ])
})

test('names such as __proto__ and constructor are names', () => {
  const spec = {
    dependencies: ['__proto__', 'constructor'].map((name) => ({ name, eventSourceName: name, eventName: name })),
    ...trigger({}, { conditions: '__proto__ && constructor' }),
  }
  expect(compileSensor(testSensor(spec), testWorld).compiled?.triggers[0]?.condition.names).toEqual([
    '__proto__',
    'constructor',
  ])
})

test('what nests too deeply is refused', () => {
  let dlqTrigger: object = { template: { name: 'd', log: {} } }
  for (let depth = 0; depth < 5_000; depth++) dlqTrigger = { template: { name: 'd', log: {} }, dlqTrigger }
  const { compiled, triggers } = compileSensor(testSensor(trigger({ dlqTrigger })), testWorld)
  expect(compiled).toBeUndefined()
  expect(triggers[0]?.message).toContain('nested no deeper than 40 levels')
})
