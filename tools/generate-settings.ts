// Writes what is made of the schema of idp.yaml: node scripts/run-ts.mjs tools/generate-settings.ts
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { settingsJsonSchema, settingsReference } from './settings-documents.ts'

declare const IDP_ROOT: string

mkdirSync(join(IDP_ROOT, 'docs', 'reference'), { recursive: true })
writeFileSync(join(IDP_ROOT, 'blueprint', 'idp.schema.json'), settingsJsonSchema())
writeFileSync(join(IDP_ROOT, 'docs', 'reference', 'idp-yaml.md'), settingsReference())
