import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { readData } from '../../lib/data-file.ts'
import { decodeProtobuf } from './decode.ts'
import { MessageTable } from './messages.ts'

const table = new MessageTable(new TextDecoder().decode(readData('protobuf')))

/** A message written by hand: field number to varint, text, bytes or fields below; lists repeat the field. */
type Shape = readonly (readonly [number, bigint | number | string | Uint8Array | Shape])[]
function varint(value: bigint): number[] {
  const bytes: number[] = []
  let rest = BigInt.asUintN(64, value)
  for (; rest >= 0x80n; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80)
  return [...bytes, Number(rest)]
}
function write(shape: Shape): Uint8Array {
  return Uint8Array.from(
    shape.flatMap(([number, value]) => {
      if (typeof value === 'number' || typeof value === 'bigint')
        return [...varint(BigInt(number << 3)), ...varint(BigInt(value))]
      const bytes =
        typeof value === 'string' ? new TextEncoder().encode(value) : value instanceof Uint8Array ? value : write(value)
      return [...varint(BigInt((number << 3) | 2)), ...varint(BigInt(bytes.length)), ...bytes]
    }),
  )
}
const body = (apiVersion: string, kind: string, message: Shape): Uint8Array =>
  Uint8Array.from([
    0x6b,
    0x38,
    0x73,
    0,
    ...write([
      [
        1,
        [
          [1, apiVersion],
          [2, kind],
        ],
      ],
      [2, write(message)],
    ]),
  ])
const decode = (apiVersion: string, kind: string, message: Shape): unknown => {
  const result = decodeProtobuf(body(apiVersion, kind, message), table)
  return result.ok ? result.value : result.error[0]?.message
}

describe('decodeProtobuf', () => {
  test('a Deployment with its containers, maps, quantities and int-or-string', () => {
    const container: Shape = [
      [1, 'web'],
      [2, 'nginx'],
      [
        6,
        [
          [1, ''],
          [3, 8080],
          [4, 'TCP'],
        ],
      ],
      [
        8,
        [
          [
            1,
            [
              [1, 'cpu'],
              [2, [[1, '500m']]],
            ],
          ],
        ],
      ],
    ]
    const spec: Shape = [
      [1, 0],
      [
        2,
        [
          [
            1,
            [
              [1, 'app'],
              [2, 'web'],
            ],
          ],
        ],
      ],
      [
        3,
        [
          [1, [[8, []]]],
          [2, [[2, container]]],
        ],
      ],
      [
        4,
        [
          [1, 'RollingUpdate'],
          [
            2,
            [
              [
                1,
                [
                  [1, 1],
                  [3, '25%'],
                ],
              ],
              [
                2,
                [
                  [1, 0],
                  [2, 3],
                ],
              ],
            ],
          ],
        ],
      ],
      [5, 0],
    ]
    expect(
      decode('apps/v1', 'Deployment', [
        [
          1,
          [
            [1, 'web'],
            [3, ''],
            [8, []],
            [
              11,
              [
                [1, '__proto__'],
                [2, 'x'],
              ],
            ],
          ],
        ],
        [2, spec],
        [3, []],
      ]),
    ).toEqual({
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'web', labels: JSON.parse('{"__proto__": "x"}') as unknown },
      spec: {
        replicas: 0,
        selector: { matchLabels: { app: 'web' } },
        template: {
          metadata: {},
          spec: {
            containers: [
              {
                name: 'web',
                image: 'nginx',
                ports: [{ containerPort: 8080, protocol: 'TCP' }],
                resources: { limits: { cpu: '500m' } },
              },
            ],
          },
        },
        strategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: '25%', maxSurge: 3 } },
      },
      status: {},
    })
  })

  test('what is inline in JSON stands among its neighbours', () => {
    const volume: Shape = [
      [1, 'v'],
      [
        2,
        [
          [
            6,
            [
              [1, 'secret-name'],
              [3, 420],
            ],
          ],
        ],
      ],
    ]
    const probe: Shape = [
      [
        1,
        [
          [
            2,
            [
              [1, '/'],
              [
                2,
                [
                  [1, 0],
                  [2, 80],
                ],
              ],
            ],
          ],
        ],
      ],
      [2, 5],
    ]
    expect(
      decode('v1', 'Pod', [
        [
          2,
          [
            [1, volume],
            [
              2,
              [
                [1, 'c'],
                [10, probe],
              ],
            ],
          ],
        ],
      ]),
    ).toMatchObject({
      spec: {
        volumes: [{ name: 'v', secret: { secretName: 'secret-name', defaultMode: 420 } }],
        containers: [{ livenessProbe: { httpGet: { path: '/', port: 80 }, initialDelaySeconds: 5 } }],
      },
    })
  })

  test('bytes are base64, times are text, negative numbers keep their sign', () => {
    expect(
      decode('v1', 'Secret', [
        [1, [[8, [[1, 1_767_225_600]]]]],
        [
          2,
          [
            [1, 'k'],
            [2, Uint8Array.from([0, 255])],
          ],
        ],
      ]),
    ).toMatchObject({
      metadata: { creationTimestamp: '2026-01-01T00:00:00Z' },
      data: { k: 'AP8=' },
    })
    expect(decode('scheduling.k8s.io/v1', 'PriorityClass', [[2, -5n]])).toMatchObject({ value: -5 })
  })

  test('options of requests and reviews are kinds too', () => {
    expect(
      decode('v1', 'DeleteOptions', [
        [1, 0],
        [4, 'Foreground'],
      ]),
    ).toEqual({ apiVersion: 'v1', kind: 'DeleteOptions', gracePeriodSeconds: 0, propagationPolicy: 'Foreground' })
    expect(
      decode('authentication.k8s.io/v1', 'TokenRequest', [
        [
          2,
          [
            [1, 'vault'],
            [4, 600],
          ],
        ],
      ]),
    ).toMatchObject({ spec: { audiences: ['vault'], expirationSeconds: 600 } })
    const extra: Shape = [
      [1, 'scopes'],
      [
        2,
        [
          [1, 'a'],
          [1, 'b'],
        ],
      ],
    ]
    expect(decode('authorization.k8s.io/v1', 'SubjectAccessReview', [[2, [[5, extra]]]])).toMatchObject({
      spec: { extra: { scopes: ['a', 'b'] } },
    })
  })

  test('a raw part may be JSON or protobuf again', () => {
    const inner = body('v1', 'ConfigMap', [
      [
        2,
        [
          [1, 'k'],
          [2, 'v'],
        ],
      ],
    ])
    expect(
      decode('apps/v1', 'ControllerRevision', [
        [2, [[1, '{"a":1}']]],
        [3, 7],
      ]),
    ).toMatchObject({ data: { a: 1 }, revision: 7 })
    expect(decode('apps/v1', 'ControllerRevision', [[2, [[1, inner]]]])).toMatchObject({
      data: { kind: 'ConfigMap', data: { k: 'v' } },
    })
  })

  test.each<[string, Uint8Array, RegExp]>([
    ['no object', Uint8Array.from([1, 2, 3]), /does not begin/],
    [
      'an unknown kind',
      body('example.com/v1', 'Widget', []),
      /Widget of example.com\/v1 has no protobuf form here: send JSON/,
    ],
    ['a field that ends too late', Uint8Array.from([0x6b, 0x38, 0x73, 0, 0x12, 0x7f]), /ends behind the message/],
    [
      'text that is not UTF-8',
      body('v1', 'ConfigMap', [[1, [[1, Uint8Array.from([0xff])]]]]),
      /not valid|encoded data/,
    ],
    ['a number where a message belongs', body('v1', 'ConfigMap', [[1, 5]]), /where text or a message belongs/],
    ['raw that is not JSON', body('apps/v1', 'ControllerRevision', [[2, [[1, '{']]]]), /not JSON/],
  ])('%s is told', (_name, bytes, message) => {
    const result = decodeProtobuf(bytes, table)
    expect(!result.ok && result.error[0]).toMatchObject({
      code: 'protobuf-invalid',
      message: expect.stringMatching(message) as string,
    })
  })

  test('nesting without end is refused', () => {
    let bytes: Uint8Array = new Uint8Array()
    for (let depth = 0; depth < 300; depth++) bytes = body('apps/v1', 'ControllerRevision', [[2, [[1, bytes]]]])
    const result = decodeProtobuf(bytes, table)
    expect(!result.ok && result.error[0]?.message).toMatch(/deeper than/)
  })

  test('arbitrary bytes never crash the reader', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.constantFrom('Pod', 'Secret', 'List'), (bytes, kind) => {
        const result = decodeProtobuf(Uint8Array.from([...body('v1', kind, [[2, bytes]]), ...bytes]), table)
        return typeof result.ok === 'boolean'
      }),
    )
  })
})

test('every message of the table can be read', () => {
  for (const [group, version, kind] of [
    ['apps', 'v1', 'Deployment'],
    ['', 'v1', 'Pod'],
    ['apiextensions.k8s.io', 'v1', 'CustomResourceDefinition'],
  ] as const) {
    const seen = new Set<string>()
    const visit = (name: string): void => {
      if (seen.has(name)) return
      seen.add(name)
      for (const { type } of table.message(name).fields.values()) {
        let inner = type
        while (inner.is === 'list' || inner.is === 'map' || inner.is === 'wrapped') inner = inner.of
        if (inner.is === 'message') visit(inner.message)
      }
    }
    visit(table.forKind(group, version, kind) ?? '')
    expect(seen.size).toBeGreaterThan(5)
  }
})
