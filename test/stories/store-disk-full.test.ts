import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { jsonCodec } from '../../src/store/codec.ts'
import { openLmdbStore } from '../../src/store/lmdb-store.ts'
import { bundle, type Writer } from './bundle.ts'

const scratch = mkdtempSync(join(tmpdir(), 'idp-full-'))
let writer: Writer
beforeAll(async () => {
  writer = await bundle('store-disk-full-writer')
})
afterAll(() => {
  writer.remove()
  rmSync(scratch, { recursive: true, force: true })
})

interface Report {
  readonly kept: number
  readonly errors: readonly string[]
  readonly revision: number
  readonly small: string
  readonly count: number
}

test.skipIf(process.platform === 'win32')(
  'a full disk is a clear error that loses nothing kept and gives out no revision twice',
  async () => {
    const folder = join(scratch, 'store')
    // The shell's limit on the size of a file stands for the end of the disk.
    const script = `trap '' XFSZ; ulimit -f 4000; exec "$0" "$1" "$2"`
    const { stdout } = await promisify(execFile)('sh', ['-c', script, process.execPath, writer.path, folder])
    const report = JSON.parse(stdout) as Report
    expect(report.kept).toBeGreaterThan(100)
    expect(report.errors).toHaveLength(3)
    for (const error of report.errors) {
      expect(error).toMatch(/cannot write to the store in .*: the disk is full \(.*\); free some space and try again/)
    }
    expect(report.revision).toBe(report.kept)

    const again = await openLmdbStore<string>({ folder, codec: jsonCodec() })
    if (!again.ok) throw new Error(JSON.stringify(again.error))
    const small = report.small === 'kept' ? 1 : 0
    expect(again.value.revision).toBe(report.kept + small)
    expect(again.value.count('')).toBe(report.count)
    expect(await again.value.put('more', () => 'x', 'absent')).toMatchObject({ ok: true })
    await again.value.close()
  },
)
