import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { settingsJsonSchema, settingsReference } from '../tools/settings-documents.ts'

const root = join(import.meta.dirname, '..')

test.each([
  ['blueprint/idp.schema.json', settingsJsonSchema],
  ['docs/reference/idp-yaml.md', settingsReference],
])(
  '%s says what the schema of the settings says (node scripts/run-ts.mjs tools/generate-settings.ts)',
  (path, text) => {
    expect(readFileSync(join(root, path), 'utf8')).toBe(text())
  },
)
