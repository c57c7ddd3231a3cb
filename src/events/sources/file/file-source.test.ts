import { chmodSync, mkdtempSync, renameSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { dataOf, type EventSourceWorld, eventSourceWorld, NAMESPACE } from '../../eventsource/event-source.testkit.ts'
import { fileSource, wantedFiles } from './file-source.ts'
import { type FileState, folderChanges } from './folder-changes.ts'
import { placeOf, readFolder } from './read-folder.ts'

const folders: string[] = []
const worlds: EventSourceWorld[] = []
afterEach(async () => {
  await Promise.all(worlds.splice(0).map((world) => world.stop()))
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
})

function scratch(): string {
  const folder = mkdtempSync(join(tmpdir(), 'idp-files-'))
  folders.push(folder)
  return folder
}

/** Puts a link in the place of a folder, which whoever watches may be making anew at this very moment. */
function replaceByLink(path: string, to: string): void {
  for (let tries = 0; ; tries++) {
    rmSync(path, { recursive: true, force: true })
    try {
      symlinkSync(to, path)
      return
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST' || tries === 20) throw error
    }
  }
}

const state = (inode: number, more: Partial<FileState> = {}): FileState => ({
  inode,
  size: 0,
  changedMs: 1,
  mode: 0o644,
  ...more,
})

test('a folder that has become a link since it was checked is not told of', async () => {
  const root = scratch()
  const place = await placeOf(root, '/drop')
  if (!place.ok) throw new Error('the place should be made')
  replaceByLink(place.value, '/etc')
  expect(await readFolder(place.value)).toMatchObject({ ok: false, error: [{ code: 'event-files-refused' }] })
})

test.each([
  { name: 'a new empty file', before: {}, after: { a: state(1) }, want: ['a CREATE'] },
  { name: 'a new file', before: {}, after: { a: state(1, { size: 3 }) }, want: ['a CREATE', 'a WRITE'] },
  { name: 'a file that grew', before: { a: state(1) }, after: { a: state(1, { size: 3 }) }, want: ['a WRITE'] },
  {
    name: 'a file of the same size, written later',
    before: { a: state(1) },
    after: { a: state(1, { changedMs: 2 }) },
    want: ['a WRITE'],
  },
  {
    name: 'a file that may be run now',
    before: { a: state(1) },
    after: { a: state(1, { mode: 0o755 }) },
    want: ['a CHMOD'],
  },
  { name: 'a file that went', before: { a: state(1) }, after: {}, want: ['a REMOVE'] },
  {
    name: 'a file with another name',
    before: { a: state(1, { size: 3 }) },
    after: { b: state(1, { size: 3 }) },
    want: ['a RENAME', 'b CREATE'],
  },
  {
    name: 'a file in the place of another',
    before: { a: state(1) },
    after: { a: state(2, { size: 1 }) },
    want: ['a CREATE', 'a WRITE'],
  },
  { name: 'nothing', before: { a: state(1) }, after: { a: state(1) }, want: [] },
])('between two looks: $name', ({ before, after, want }) => {
  const changes = folderChanges(new Map(Object.entries(before)), new Map(Object.entries(after)))
  expect(changes.map(({ name, operation }) => `${name} ${operation}`)).toEqual(want)
})

test.each([
  { config: { path: 'x.txt' }, name: 'x.txt', want: true },
  { config: { path: 'x.txt' }, name: 'x.txt.swp', want: false },
  { config: { directory: '/d/', pathRegexp: '^x.*\\.txt$' }, name: 'x1.txt', want: true },
  { config: { directory: '/d', pathRegexp: '^/x' }, name: 'x1.txt', want: true },
  { config: { directory: '/d/', pathRegexp: '^/x' }, name: 'x1.txt', want: false },
])('$config means $name: $want', ({ config, name, want }) => {
  expect(wantedFiles(config)(name)).toBe(want)
})

describe('a folder stands for the file system of a Pod', () => {
  test('and no directory leads out of it', async () => {
    const root = scratch()
    expect(await placeOf(root, '/../../etc')).toEqual({ ok: true, value: join(root, 'etc') })
    symlinkSync('/etc', join(root, 'out'))
    expect(await placeOf(root, '/out')).toMatchObject({ ok: false, error: [{ code: 'event-files-refused' }] })
  })
})

async function filesWorld(
  spec: object,
): Promise<{ readonly world: EventSourceWorld; readonly place: string; readonly root: string }> {
  const folder = scratch()
  const world = await eventSourceWorld((ports) => ({ makers: { file: fileSource({ ...ports, folder }) } }))
  worlds.push(world)
  await world.bus()
  const root = join(folder, NAMESPACE, 'files')
  await world.source('files', { file: { changes: spec } })
  await expect
    .poll(async () => {
      await world.settle(2_000)
      return world.condition('files', 'Deployed')
    })
    .toBe('True : ')
  return { world, root, place: join(root, 'drop') }
}
const watchPathConfig = { directory: '/drop/', pathRegexp: '\\.txt$' }

/** Looks again until there are so many events: files take the machine's time. */
const heard = (world: EventSourceWorld, count: number) =>
  expect
    .poll(async () => {
      await world.settle(2_000)
      return world.kept.length
    })
    .toBe(count)

describe('a watch of files', () => {
  test("tells of what it is asked for, in upstream's words", async () => {
    const { world, place } = await filesWorld({ eventType: 'CREATE', watchPathConfig, metadata: { a: 'b' } })
    writeFileSync(join(place, 'one.txt'), 'x')
    writeFileSync(join(place, 'other.md'), 'x')
    await heard(world, 1)
    expect(world.kept.map(dataOf)).toEqual([{ name: '/drop/one.txt', op: 1, metadata: { a: 'b' } }])
    expect(world.kept[0]?.event.context).toMatchObject({ type: 'file', source: 'files', subject: 'changes' })
  })

  test('tells every operation', async () => {
    const { world, place } = await filesWorld({ eventType: 'CREATE|WRITE|REMOVE|RENAME|CHMOD', watchPathConfig })
    writeFileSync(join(place, 'a.txt'), '')
    await heard(world, 1)
    chmodSync(join(place, 'a.txt'), 0o600)
    await heard(world, 2)
    renameSync(join(place, 'a.txt'), join(place, 'b.txt'))
    await heard(world, 4)
    unlinkSync(join(place, 'b.txt'))
    await heard(world, 5)
    expect(world.kept.map((kept) => (dataOf(kept) as { readonly op: number }).op)).toEqual([1, 16, 8, 1, 4])
    expect(world.kept.map(dataOf)[0]).toEqual({ name: '/drop/a.txt', op: 1, metadata: null })
  })

  test('says that its folder is none of its own', async () => {
    const { world, root } = await filesWorld({
      eventType: 'CREATE',
      watchPathConfig: { directory: '/link/', path: 'passwd' },
    })
    replaceByLink(join(root, 'link'), '/etc')
    await expect
      .poll(async () => {
        await world.settle(2_000)
        return world.condition('files', 'Deployed')
      })
      .toMatch(/^False SourceFailed: file\/changes: \/link\/ leads out of the folder/)
    expect(world.kept).toEqual([])
  })
})
