import { type PathRules, slashPaths, windowsPaths } from '../../../lib/go-path.ts'
import { fn, type FunctionTable } from '../function.ts'

function functionsOf(rules: PathRules, name: (each: string) => string): FunctionTable {
  return {
    [name('base')]: fn(['string'], 'any', (path) => rules.base(path)),
    [name('dir')]: fn(['string'], 'any', (path) => rules.dir(path)),
    [name('clean')]: fn(['string'], 'any', (path) => rules.clean(path)),
    [name('ext')]: fn(['string'], 'any', (path) => rules.ext(path)),
    [name('isAbs')]: fn(['string'], 'any', (path) => rules.isAbs(path)),
  }
}

/** Paths with slashes, and those of the operating system that the host says it is. */
export const paths = (system: 'unix' | 'windows'): FunctionTable => ({
  ...functionsOf(slashPaths, (each) => each),
  ...functionsOf(
    system === 'windows' ? windowsPaths : slashPaths,
    (each) => `os${each[0]?.toUpperCase() ?? ''}${each.slice(1)}`,
  ),
})
