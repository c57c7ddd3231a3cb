// Writes docs/reference/commands.md from the commands' own help.
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { commandReference } from '../src/cli/command-reference.ts'

const root = process.cwd()
mkdirSync(join(root, 'docs', 'reference'), { recursive: true })
writeFileSync(join(root, 'docs', 'reference', 'commands.md'), await commandReference())
