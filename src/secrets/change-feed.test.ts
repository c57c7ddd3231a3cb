import { expect, test } from 'vitest'
import { changeFeed, type StoreChange } from './change-feed.ts'

const written: StoreChange = { what: 'changed', mount: 'secret/', path: 'team-a/db' }

test('every listener hears every change until it ends its subscription', () => {
  const heard: string[] = []
  const feed = changeFeed(() => {})
  const end = feed.subscribe((change) => heard.push(`a ${change.what}`))
  feed.subscribe((change) => heard.push(`b ${change.what}`))
  feed.tell(written)
  end()
  feed.tell({ what: 'sealed' })
  expect(heard).toEqual(['a changed', 'b changed', 'b sealed'])
})

test('a listener that throws does not keep others from hearing', () => {
  const errors: unknown[] = []
  const heard: StoreChange[] = []
  const feed = changeFeed((error) => errors.push(error))
  feed.subscribe(() => {
    throw new Error('a bug')
  })
  feed.subscribe((change) => heard.push(change))
  feed.tell(written)
  expect(heard).toEqual([written])
  expect(errors).toHaveLength(1)
})
