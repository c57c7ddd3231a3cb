import { expect, test } from 'vitest'
import { originText } from './origin-text.ts'

test.each([
  { name: 'nothing where nothing is known', origin: undefined, want: '' },
  { name: 'the file alone', origin: { file: 'K8s/a' }, want: '# K8s/a\n' },
  {
    name: 'the line, and each field with its settings',
    origin: {
      file: 'a.yaml',
      line: 3,
      settings: [
        { field: 'spec.hostnames[0]', settings: ['dns.suffix'] },
        { field: 'data.url', settings: ['dns.suffix', 'gateway.httpsPort'] },
      ],
    },
    want: '# a.yaml:3\n# spec.hostnames[0]: dns.suffix of idp.yaml\n# data.url: dns.suffix, gateway.httpsPort of idp.yaml\n',
  },
])('$name', ({ origin, want }) => expect(originText(origin)).toBe(want))
