import { describe, expect, test } from 'vitest'
import { everything } from '../testkit.ts'
import { compile } from '../cel.ts'
import { renderJson } from '../wire/render.ts'
import { answer } from '../testkit.ts'
import { authorizerType, authorizerValue } from './authorizer.ts'

describe('the libraries of Kubernetes', () => {
  test.each([
    ["quantity('1.5Gi').add(quantity('512Mi')) == quantity('2Gi')", true],
    ["quantity('200k').isGreaterThan(quantity('200'))", true],
    ["quantity('50k').asInteger()", 50000],
    ["quantity('1m').isInteger()", false],
    ["quantity('1m').asInteger()", 'cel-evaluation-failed: cannot convert value to integer'],
    ["quantity('5').sub(3).compareTo(quantity('2'))", 0],
    ["quantity('-5').sign() + sign(quantity('5'))", 0],
    ["isQuantity('1.3Gi') && !isQuantity('1.3GiB')", true],
    [
      "[isIP('1.2.3.4'), isIP('01.2.3.4'), isIP('::ffff:1.2.3.4'), isIP('::1%lo'), isIP(':::1'), isIP('1.2.3.256')]",
      [true, false, false, false, false, false],
    ],
    ["ip('2001:db8:0:0:1::1') == ip('2001:DB8::1:0:0:1')", true],
    ["string(ip('2001:db8:0:0:1:0:0:1'))", '2001:db8::1:0:0:1'],
    ["[ip.isCanonical('2001:db8::abcd'), ip.isCanonical('2001:DB8::ABCD')]", [true, false]],
    [
      "[ip('127.0.0.1').isLoopback(), ip('10.0.0.1').isGlobalUnicast(), ip('224.0.0.9').isLinkLocalMulticast(), ip('::').isUnspecified(), ip('fe80::1').isLinkLocalUnicast()]",
      [true, true, true, true, true],
    ],
    ["cidr('192.168.0.0/16').containsIP('192.168.9.1') && !cidr('192.168.0.0/16').containsIP(ip('::1'))", true],
    ["cidr('10.0.0.0/8').containsCIDR('10.1.0.0/16') && !cidr('10.1.0.0/16').containsCIDR(cidr('10.0.0.0/8'))", true],
    ["string(cidr('192.168.1.7/24').masked())", '192.168.1.0/24'],
    ["cidr('::1/128').prefixLength() + cidr('::1/128').ip().family()", 134],
    ["isCIDR('10.0.0.0/33')", false],
    ["url('https://u:p@example.com:80/a b%20/?q=1&q=2&r')", expect.stringMatching(/URL parse error/) as string],
    ["url('https://u:p@example.com:80/a%20b?q=1&q=2&r#f').getQuery()", { q: ['1', '2'], r: [''] }],
    [
      "[url('https://[::1]:8080/p').getHostname(), url('https://[::1]:8080/p').getPort(), url('https://h/p').getPort(), url('/p').getHost()]",
      ['::1', '8080', '', ''],
    ],
    ["[isURL('https://a'), isURL('/x'), isURL('x'), isURL('')]", [true, true, false, false]],
    ["semver('1.2.3-rc.1').isLessThan(semver('1.2.3')) && semver('1.10.0').isGreaterThan(semver('1.9.9'))", true],
    ["[isSemver('v1.2'), isSemver('v1.2', true), isSemver('01.2.3')]", [false, true, false]],
    ["semver('v01.2', true).minor()", 2],
    ["'abc 123 def 456'.find('[0-9]+')", '123'],
    ["'123 abc 456'.findAll('[0-9]+', 1)", ['123']],
    ["[[1, 2, 2].isSorted(), ['b', 'a'].isSorted()]", [true, false]],
    ['[1, 3, 2].max() - [1, 3, 2].min() + [1, 2].sum()', 5],
    ["['a', 'b', 'a'].lastIndexOf('a') - ['a', 'b'].indexOf('c')", 3],
    ['[].max()', expect.stringMatching(/max called on empty list/) as string],
    ["format.dns1123Label().validate('my-name')", null],
    ["format.dns1123Label().validate('My_Name').value().size() > 0", true],
    ["format.named('nonsense').hasValue()", false],
    ["format.dns1123LabelPrefix().validate('my-').hasValue()", false],
    ["jsonpatch.escapeKey('a/b~c')", 'a~1b~0c'],
    ["regex.replace('foo bar', '(fo)o (ba)r', '$1 \\\\2 \\\\1')", '$1 ba fo'],
    ["regex.extract('HELLO', 'hello').hasValue()", false],
    ["regex.extractAll('id:123, id:456', 'id:(\\\\d+)')", ['123', '456']],
    ['math.greatest(1, 2.5, 2u)', 2.5],
    ["'%e %e'.format([3.14, -0.00123])", '3.140000×10⁰⁰ -1.230000×10⁻⁰³'],
    ["'%.1f %d %s %x'.format([1234567.25, 5, true, 255])", '1,234,567.2 5 true ff'],
    [
      "'%s %s'.format([['a', 1.5, duration('1m')], {'k': b'x', 'j': null}])",
      '["a", 1.500000, duration("60s")] {"j":null, "k":b"x"}',
    ],
    ["sets.equivalent(['a', 'b'], ['b', 'a', 'a'])", true],
    ['[3, 1, 2].sort() + [[1], [2]].flatten()', [1, 2, 3, 1, 2]],
    ["[{'n': 'b'}, {'n': 'a'}].sortBy(e, e.n).map(e, e.n)", ['a', 'b']],
    ['["a", "b", "a"].distinct()', ['a', 'b']],
  ])('%s', (source, want) => expect(answer(source)).toEqual(want))

  test('a pattern that would backtrack is linear', () => {
    expect(answer(`'${'a'.repeat(5_000)}!'.matches('^(a+)+$')`)).toBe(false)
    expect(answer("'a'.matches('(')")).toMatch(/cannot compile the pattern/)
    expect(answer("'a'.matches('(?=a)')")).toMatch(/cannot compile the pattern/)
  })
})

describe('the authorizer', () => {
  const environment = everything([], { authorizer: authorizerType })
  const ask = (source: string): unknown => {
    const authorizer = authorizerValue({
      decide: (query) => ({
        allowed: query.verb === 'get' && query.namespace !== 'kube-system',
        reason: JSON.stringify(query),
      }),
    })
    const program = compile(environment, source)
    if (!program.ok) return program.error[0]?.message
    const outcome = program.value.evaluate({ authorizer })
    return outcome.ok ? renderJson(outcome.value.value) : outcome.error[0]?.message
  }
  test.each([
    ["authorizer.group('').resource('pods').namespace('default').check('get').allowed()", true],
    ["authorizer.group('').resource('pods').namespace('kube-system').check('get').allowed()", false],
    ["authorizer.path('/healthz').check('post').reason()", '{"path":"/healthz","verb":"post"}'],
    [
      "authorizer.serviceAccount('ns', 'sa').group('apps').resource('deployments').subresource('scale').check('get').reason()",
      '{"serviceAccount":{"namespace":"ns","name":"sa"},"group":"apps","resource":"deployments","subresource":"scale","verb":"get"}',
    ],
    ["authorizer.path(' ').check('get').allowed()", 'path must not be empty'],
    ["authorizer.serviceAccount('Bad!', 'sa').path('/').check('get').allowed()", 'Invalid service account namespace'],
    [
      "authorizer.path('/a').check('get').allowed() && authorizer.path('/b').check('get').allowed() && authorizer.path('/c').check('get').allowed()",
      'operation cancelled: actual cost limit exceeded',
    ],
  ])('%s', (source, want) => expect(ask(source)).toEqual(want))
})
