import { explain, type Problem } from '../../../lib/result.ts'
import { compileJmesPath } from '../../../lang/jmespath/jmespath.ts'
import { parseImage } from '../context/image.ts'
import { type Fields, fieldsOf, listOf, textOf } from '../read.ts'
import { hasVariable } from '../variables/template.ts'
import { invalid } from './finding.ts'

const reserved = ['images', 'request', 'serviceAccountName', 'serviceAccountNamespace', 'element', 'elementIndex']
const sources = ['configMap', 'apiCall', 'globalReference', 'imageRegistry', 'variable']

/** What is wrong with the context of a rule. */
export function lintContext(context: unknown, at: string): readonly Problem[] {
  return listOf(context).flatMap((item, index) => lintEntry(fieldsOf(item), `${at}[${index}]`))
}

function lintEntry(entry: Fields, at: string): readonly Problem[] {
  const name = textOf(entry['name'])
  if (name === '') return [invalid(`${at}.name`, 'a context entry needs a name')]
  const taken = reserved.find((one) => name === one || name.startsWith(`${one}.`))
  if (taken !== undefined) return [invalid(`${at}.name`, `${name} is taken: ${taken} is defined already`)]
  const given = sources.filter((source) => entry[source] !== undefined && entry[source] !== null)
  const [source] = given
  if (source === undefined || given.length > 1) {
    return [invalid(at, `a context entry has exactly one of ${sources.join(', ')}`)]
  }
  const block = fieldsOf(entry[source])
  return [...lintSource(source, block, `${at}.${source}`), ...lintPath(block['jmesPath'], `${at}.${source}.jmesPath`)]
}

function lintSource(source: string, block: Fields, at: string): readonly Problem[] {
  switch (source) {
    case 'configMap':
      return [
        ...(textOf(block['name']) === '' ? [invalid(`${at}.name`, 'a ConfigMap needs a name')] : []),
        ...(textOf(block['namespace']) === '' ? [invalid(`${at}.namespace`, 'a ConfigMap needs a namespace')] : []),
      ]
    case 'apiCall':
      return textOf(block['urlPath']) !== '' && block['service']
        ? [invalid(at, 'urlPath and service cannot both be given')]
        : []
    case 'globalReference':
      return textOf(block['name']) === '' ? [invalid(`${at}.name`, 'a global reference needs a name')] : []
    case 'imageRegistry': {
      const reference = textOf(block['reference'])
      if (reference === '') return [invalid(`${at}.reference`, 'an image reference is needed')]
      return hasVariable(reference) || parseImage(reference)
        ? []
        : [invalid(`${at}.reference`, `${reference} is no image reference`)]
    }
    default:
      return lintVariable(block, at)
  }
}

function lintVariable(block: Fields, at: string): readonly Problem[] {
  const hasPath = textOf(block['jmesPath']) !== ''
  if (!hasPath && (block['value'] === undefined || block['value'] === null))
    return [invalid(at, 'a variable needs a value or a jmesPath')]
  if (!hasPath && block['default'] !== undefined && block['default'] !== null) {
    return [invalid(`${at}.default`, 'a default is for a variable with a jmesPath')]
  }
  return []
}

function lintPath(path: unknown, at: string): readonly Problem[] {
  if (typeof path !== 'string' || path === '' || hasVariable(path)) return []
  const compiled = compileJmesPath(path)
  return compiled.ok ? [] : [invalid(at, `not JMESPath: ${compiled.error.map(explain).join('; ')}`)]
}
