// npm run check: types, lint, format. The tests themselves, the architecture test among them, are `npm test`.
import { pathToFileURL } from 'node:url'
import { ensureInstalled, fail, tool } from './ensure.mjs'

const steps = [
  { name: 'types', path: 'typescript/bin/tsc', args: ['-p', '.'] },
  { name: 'lint', path: 'oxlint/bin/oxlint', args: ['--type-aware', 'src', 'test', 'bench', 'tools', 'scripts'] },
  { name: 'format', path: 'oxfmt/bin/oxfmt', args: ['--check'] },
]

/** Runs every static check and returns the names of those that failed. */
export function check() {
  ensureInstalled()
  const failed = []
  for (const { name, path, args } of steps) {
    const began = Date.now()
    const status = tool(path, args)
    process.stdout.write(`${status === 0 ? 'ok  ' : 'FAIL'} ${name} (${Date.now() - began} ms)\n`)
    if (status !== 0) failed.push(name)
  }
  return failed
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const [word] = process.argv.slice(2)
  if (word === '--help' || word === '-h') {
    process.stdout.write(
      'usage: npm run check: types, lint and format; exit 1 when one fails. `npm run format` writes the format.\n',
    )
    process.exit(0)
  }
  if (word !== undefined)
    fail(`check takes no arguments, such as ${JSON.stringify(word)}: it always checks everything`, 2)
  process.exit(check().length === 0 ? 0 : 1)
}
