import { compileGlob, type GlobMatcher } from '../../lib/glob.ts'
import { fail, type Result, succeed } from '../../lib/result.ts'

/** Tells whether a path below the chart is left out. */
export type Ignore = (path: string, isFolder: boolean) => boolean

interface Rule {
  readonly negate: boolean
  readonly onlyFolders: boolean
  readonly matches: GlobMatcher
}

const baseOf = (path: string): string => path.slice(path.lastIndexOf('/') + 1)

function ruleOf(line: string): Result<Rule> {
  if (line.includes('**')) {
    return fail({ code: 'chart-invalid', message: 'double-star (**) syntax is not supported', at: '.helmignore' })
  }
  const negate = line.startsWith('!')
  const body = negate ? line.slice(1) : line
  const onlyFolders = body.endsWith('/')
  const path = onlyFolders ? body.slice(0, -1) : body
  const compiled = compileGlob(path.startsWith('/') ? path.slice(1) : path, 'path')
  if (!compiled.ok) return fail({ code: 'chart-invalid', message: 'syntax error in pattern', at: '.helmignore' })
  const { value } = compiled
  return succeed({ negate, onlyFolders, matches: path.includes('/') ? value : (name) => value(baseOf(name)) })
}

/** Reads .helmignore. Hidden files in templates/ are always left out; the first rule that matches decides. */
export function parseIgnore(text: string): Result<Ignore> {
  const rules: Rule[] = []
  for (const raw of [...text.replace(/^\uFEFF/, '').split('\n'), 'templates/.?*']) {
    const line = raw.trim()
    if (line === '' || line.startsWith('#')) continue
    const rule = ruleOf(line)
    if (!rule.ok) return rule
    rules.push(rule.value)
  }
  return succeed((path, isFolder) => {
    for (const { negate, onlyFolders, matches } of rules) {
      if (negate) {
        // A negative rule leaves out whatever it does not match.
        if ((onlyFolders && !isFolder) || !matches(path)) return true
      } else if ((isFolder || !onlyFolders) && matches(path)) return true
    }
    return false
  })
}
