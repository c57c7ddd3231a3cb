import { compileGlob, type GlobMatcher } from '../../../lib/glob.ts'
import { compilePattern } from '../../../lib/re2.ts'

/** How file patterns of the Git generator are read. */
export type GitGlobbing =
  /** As a pathspec of `git ls-files`: a star takes slashes too, and a folder stands for all below it. The default. */
  | 'pathspec'
  /** `applicationsetcontroller.enable.new.git.file.globbing`: a star stops at a slash, a double star takes any folders. */
  | 'doublestar'

const nothing: GlobMatcher = () => false

/** Which files a pattern means. */
export function gitFileMatcher(pattern: string, globbing: GitGlobbing): GlobMatcher {
  const wanted = pattern.replace(/^(?:\.\/|\/)/, '')
  if (globbing === 'doublestar') {
    const compiled = compileGlob(wanted, 'doublestar')
    return compiled.ok ? compiled.value : nothing
  }
  const isFolderOrFile: GlobMatcher = (path) =>
    wanted === '' || wanted === '.' || path === wanted || path.startsWith(wanted.endsWith('/') ? wanted : `${wanted}/`)
  if (!/[*?[\\]/.test(wanted)) return isFolderOrFile
  const compiled = compilePattern(`(?s)^(?:${pathspecPattern(wanted)})$`)
  if (!compiled.ok) return isFolderOrFile
  return (path) => compiled.value.testExact(path) || isFolderOrFile(path)
}

const quote = (char: string): string => char.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')

/** wildmatch without WM_PATHNAME as a RE2 pattern. */
function pathspecPattern(glob: string): string {
  let out = ''
  for (let at = 0; at < glob.length; at++) {
    const char = glob.charAt(at)
    if (char === '*') out += glob[at - 1] === '*' ? '' : '.*'
    else if (char === '?') out += '.'
    else if (char === '\\') out += quote(glob.charAt(++at))
    else if (char === '[') {
      const close = glob.indexOf(']', at + 2)
      if (close < 0) out += '\\['
      else {
        const inside = glob.slice(at + 1, close).replace(/^[!^]/, '')
        const negated = /^[!^]/.test(glob.slice(at + 1, close))
        out += `[${negated ? '^' : ''}${inside.replaceAll('\\', '\\\\').replaceAll('[', '\\[')}]`
        at = close
      }
    } else out += quote(char)
  }
  return out
}
