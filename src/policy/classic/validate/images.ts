import type { KubeObject } from '../../../kube/object.ts'
import { matchesWildcard } from '../../engine/wildcard.ts'
import { imagesOf } from '../context/image.ts'
import type { Evaluation } from '../evaluation.ts'
import { at, type Fields, fieldsOf, listOf, textOf, textsOf } from '../read.ts'
import type { Outcome, Rule } from '../rule.ts'

const unverified = 'images are not verified: signatures and attestations are accepted and not enforced'

/**
 * What can be said of images without a registry: whether they are named by digest where the rule asks for it. Signatures
 * are not looked at, and the outcome says so. Undefined when no image is meant.
 */
export function checkImages(rule: Rule, object: KubeObject, evaluation: Evaluation): Outcome | undefined {
  const images = Object.values(imagesOf(object, evaluation, rule.source['imageExtractors'])).flatMap((list) =>
    Object.values(fieldsOf(list)).map(fieldsOf),
  )
  let isMeant = false
  let isSigned = false
  for (const item of rule.verifyImages) {
    const block = fieldsOf(item)
    const meant = images.filter((image) => isMatched(block, textOf(image['reference'])))
    isMeant ||= meant.length > 0
    const bare = meant.find((image) => textOf(image['digest']) === '')
    // A digest that the rule would look up itself is no failure of whoever wrote the image.
    if (bare && block['verifyDigest'] !== false && block['mutateDigest'] === false) {
      return { verdict: 'fail', message: `missing digest for ${textOf(bare['reference'])}` }
    }
    const isChecked = needsRegistry(block)
    const [first] = meant
    // A rule that wants images verified and names nobody who could verify them is met by none.
    if (first && !isChecked && block['required'] !== false) {
      return { verdict: 'fail', message: `unverified image ${textOf(first['reference'])}: the rule names no attestors` }
    }
    isSigned ||= meant.length > 0 && isChecked
  }
  if (!isMeant) return undefined
  return isSigned ? { verdict: 'skip', message: unverified } : { verdict: 'pass', message: 'image verified' }
}

function isMatched(block: Fields, reference: string): boolean {
  const wanted = [...textsOf(block['imageReferences']), textOf(block['image'])].filter((pattern) => pattern !== '')
  const skipped = textsOf(block['skipImageReferences'])
  return (
    wanted.some((pattern) => matchesWildcard(pattern, reference)) &&
    !skipped.some((pattern) => matchesWildcard(pattern, reference))
  )
}

function needsRegistry(block: Fields): boolean {
  return (
    ['attestors', 'attestations'].some((key) => listOf(block[key]).length > 0) ||
    ['key', 'roots', 'issuer'].some((key) => textOf(at(block, key)) !== '') ||
    block['mutateDigest'] !== false
  )
}
