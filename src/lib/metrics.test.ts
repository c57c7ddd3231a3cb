import { expect, test } from 'vitest'
import { metricsRegistry } from './metrics.ts'

test('counters, gauges and histograms are read as Prometheus text, sorted by name', () => {
  const metrics = metricsRegistry()
  const requests = metrics.counter('requests_total', 'Requests by code.\nAnd verb.')
  requests.with({ verb: 'GET', code: '200' }).add()
  requests.with({ code: '200', verb: 'GET' }).add(2)
  requests.with({ verb: 'a"b\\c\n', code: '500' }).add()
  const depth = metrics.gauge('depth', 'Depth.').with({})
  depth.set(5)
  depth.add(-2)
  const took = metrics.histogram('took_seconds', 'Time.', [0.1, 1]).with({ of: 'x' })
  for (const value of [0.1, 0.5, 7]) took.observe(value)
  expect(metrics.text()).toBe(
    [
      '# HELP depth Depth.',
      '# TYPE depth gauge',
      'depth 3',
      '# HELP requests_total Requests by code.\\nAnd verb.',
      '# TYPE requests_total counter',
      'requests_total{code="200",verb="GET"} 3',
      'requests_total{code="500",verb="a\\"b\\\\c\\n"} 1',
      '# HELP took_seconds Time.',
      '# TYPE took_seconds histogram',
      'took_seconds_bucket{le="0.1",of="x"} 1',
      'took_seconds_bucket{le="1",of="x"} 2',
      'took_seconds_bucket{le="+Inf",of="x"} 3',
      'took_seconds_sum{of="x"} 7.6',
      'took_seconds_count{of="x"} 3',
      '',
    ].join('\n'),
  )
})

test('the same name is the same metric, of one type, and a series can be forgotten', () => {
  const metrics = metricsRegistry()
  metrics.gauge('a', 'A.').with({ x: '1' }).set(1)
  metrics.gauge('a', 'A.').with({ x: '2' }).set(2)
  metrics.gauge('a', 'A.').remove({ x: '1' })
  expect(metrics.samples()).toEqual([{ name: 'a', labels: { x: '2' }, value: 2 }])
  expect(() => metrics.counter('a', 'A.')).toThrow(/is a gauge/)
  expect(() => metrics.counter('a b', 'A.')).toThrow(/not the name of a metric/)
  expect(() => metrics.counter('b', 'B.').with({}).add(-1)).toThrow(/cannot fall/)
})
