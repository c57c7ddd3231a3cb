import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join, posix, relative, sep } from 'node:path'
import { impure, layers, pure, pureModules } from './layers.ts'

export interface SourceFile {
  /** Relative to the folder that holds the layers, with `/`. */
  readonly path: string
  readonly text: string
}

/** Every TypeScript file below a folder, without declarations. */
export function sourcesBelow(root: string, folder: string = root): readonly SourceFile[] {
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name)
    if (statSync(path).isDirectory()) return name === 'testdata' ? [] : sourcesBelow(root, path)
    if (!name.endsWith('.ts') || name.endsWith('.d.ts')) return []
    return [{ path: relative(root, path).split(sep).join('/'), text: readFileSync(path, 'utf8') }]
  })
}

const IMPORT =
  /(?:^|[\s;}])(?:import|export)\s*(?:type\s*)?(?:[\w*{}\s,$]*?\sfrom\s*)?['"]([^'"\n]+)['"]|\bimport\(\s*['"]([^'"\n]+)['"]\s*\)/g

/** The module specifiers a file imports, statically or dynamically. */
export function importsOf(text: string): readonly string[] {
  return [...text.matchAll(IMPORT)].flatMap((found) => found[1] ?? found[2] ?? [])
}

const isTest = (path: string): boolean => /\.(test|contract|testkit)\.ts$/.test(path)

function rowOf(folder: string): number {
  return layers.findIndex((row) => row.includes(folder))
}

/** Says why an import breaks the layer table, or nothing. */
export function breachOf(file: string, specifier: string): string | undefined {
  const from = file.split('/')[0] ?? ''
  const fromRow = rowOf(from)
  if (fromRow < 0) return `${file}: the folder ${from} is not in the layer table`
  if (!specifier.startsWith('.')) return undefined
  const target = posix.normalize(posix.join(posix.dirname(file), specifier))
  const to = target.split('/')[0] ?? ''
  if (to === '..' || to === from) return undefined
  const toRow = rowOf(to)
  if (toRow < 0) return `${file}: imports ${target}, whose folder is not in the layer table`
  if (toRow > fromRow) return `${file}: ${from} may not import ${to}, which is a layer below it in the table`
  if (toRow === fromRow) return `${file}: ${from} and ${to} share a layer and may not import each other`
  return undefined
}

function isPure(path: string): boolean {
  if (Object.hasOwn(impure, path)) return false
  return pure.some((entry) =>
    entry.startsWith('**/') ? path.endsWith(entry.slice(2)) : path === entry || path.startsWith(`${entry}/`),
  )
}

const AMBIENT: readonly (readonly [RegExp, string, RegExp])[] = [
  [/\bDate\.now\(|\bnew Date\(\)|\bperformance\.now\(/, 'reads the clock: take a Clock', /^(lib\/clock\.ts|cli\/)/],
  [/(?<!\bsocket\.)\bsetTimeout\(|\bsetInterval\(/, 'uses a naked timer: take a Clock', /^lib\/clock\.ts$/],
  [/\bprocess\.env\b|\bprocess\.exit\(/, 'touches the process: only cli may', /^cli\//],
  [/\bMath\.random\(/, 'uses chance: take Ids', /^$/],
]

/** Every breach of the layer table, the purity list and the ambient rules. */
export function breaches(files: readonly SourceFile[]): readonly string[] {
  return files.flatMap(({ path, text }) => {
    if (isTest(path)) return []
    const specifiers = importsOf(text)
    const found = specifiers.flatMap((specifier) => breachOf(path, specifier) ?? [])
    for (const [pattern, because, allowed] of AMBIENT) {
      if (pattern.test(text) && !allowed.test(path)) found.push(`${path}: ${because}`)
    }
    if (isPure(path)) {
      for (const specifier of specifiers.filter((name) => name.startsWith('node:') && !pureModules.includes(name))) {
        found.push(`${path}: is on the purity list and may not import ${specifier}`)
      }
    }
    return found
  })
}
