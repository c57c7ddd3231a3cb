import { compileGlob } from '../../lib/glob.ts'
import { parseUrl, urlText } from '../../lib/go-url.ts'

/** Whether a rule excludes what it matches. */
export const isDenial = (rule: string): boolean => rule.startsWith('!')

/** Whether a glob covers a text; a glob that does not compile covers nothing, as upstream. */
export function covers(glob: string, text: string, dialect: 'gobwas' | 'gobwas-path' = 'gobwas'): boolean {
  if (glob === '*') return true
  const compiled = compileGlob(glob, dialect)
  return compiled.ok && compiled.value(text)
}

/** Whether a rule accepts a text: a denial accepts what its glob does not cover (Argo CD 3.x, app_project_types.go globMatch). */
export function accepts(rule: string, text: string, dialect: 'gobwas' | 'gobwas-path' = 'gobwas'): boolean {
  return isDenial(rule) ? !coversAsGlob(rule.slice(1), text, dialect) : covers(rule, text, dialect)
}

function coversAsGlob(glob: string, text: string, dialect: 'gobwas' | 'gobwas-path'): boolean {
  const compiled = compileGlob(glob, dialect)
  return compiled.ok && compiled.value(text)
}

/** Whether a name matches in the manner of Go's filepath.Match, as kinds and groups do. */
export function namesMatch(pattern: string, name: string): boolean {
  if (pattern === '*') return !name.includes('/')
  if (!/[*?[\\]/.test(pattern)) return pattern === name
  const compiled = compileGlob(pattern, 'path')
  return compiled.ok && compiled.value(name)
}

/** The form in which repository URLs are compared: lower case, without `.git`, one spelling for SSH (util/git NormalizeGitURL). */
export function normalRepoUrl(url: string): string {
  let text = url.trim().toLowerCase()
  if (/^(ssh:\/\/)?[^/:]*@[^@]+$/.test(text) && !text.startsWith('ssh://')) text = `ssh://${text.replace(':', '/')}`
  if (text.endsWith('.git')) text = text.slice(0, -'.git'.length)
  const parsed = parseUrl(text)
  if (typeof parsed === 'string') return ''
  const normal = urlText(parsed)
  return normal.startsWith('ssh://') ? normal.slice('ssh://'.length) : normal
}
