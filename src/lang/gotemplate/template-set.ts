import { settleBytes, wellFormed } from '../../lib/go-string.ts'
import { fail, type Result, succeed } from '../../lib/result.ts'
import { builtins } from './builtins.ts'
import { compileTemplate } from './compile.ts'
import type { FunctionTable } from './function.ts'
import { isEmptyTree, ParseError, parseTrees } from './parser.ts'
import {
  type Budget,
  BudgetError,
  ExecError,
  lookUp,
  type MissingKey,
  Run,
  type Template,
  type Templates,
  usualBudget,
} from './run.ts'
import type { GoFunction } from './value.ts'

/** Parsed templates and the functions they may call; made once, executed often. */
export interface TemplateSet {
  readonly templates: Templates
  readonly functions: FunctionTable
}

export interface TemplateFile {
  readonly name: string
  readonly text: string
}

export interface Delimiters {
  readonly left?: string
  readonly right?: string
}

export interface ExecuteOptions {
  /** What a key that a map does not have gives; `default` prints `<no value>`. */
  readonly missingKey?: MissingKey
  readonly budget?: Partial<Budget>
  /** Handed to the host's own functions as `run.context`. */
  readonly context?: unknown
  /** Leaves bytes that are no UTF-8 in the output, as `lib/go-string.ts` carries them; left out, they become U+FFFD. */
  readonly keepsBytes?: boolean
}

/** Texts longer than this are compiled anew each time. */
const LONGEST_KEPT = 256 * 1024
/** How much text is kept compiled; beyond it the library starts anew. */
const KEPT_CHARACTERS = 8 * 1024 * 1024

interface Library {
  readonly functions: ReadonlyMap<string, GoFunction>
  /** Compiled files by delimiters, name and text. */
  readonly compiled: Map<string, readonly Template[]>
  keptCharacters: number
}

const libraries = new WeakMap<FunctionTable, Library>()

function libraryOf(table: FunctionTable): Library {
  const known = libraries.get(table)
  if (known) return known
  const functions = new Map([...Object.entries(builtins), ...Object.entries(table)])
  const library = { functions, compiled: new Map<string, readonly Template[]>(), keptCharacters: 0 }
  libraries.set(table, library)
  return library
}

function compileFile(library: Library, file: TemplateFile, delimiters: Delimiters): readonly Template[] {
  const key = `${delimiters.left ?? ''}\0${delimiters.right ?? ''}\0${file.name}\0${file.text}`
  const known = library.compiled.get(key)
  if (known) return known
  const trees = parseTrees(file.name, file.text, {
    ...delimiters,
    hasFunction: (name) => library.functions.has(name),
  })
  const templates = trees.map((tree) => compileTemplate(tree))
  if (file.text.length <= LONGEST_KEPT) {
    if (library.keptCharacters + key.length > KEPT_CHARACTERS) {
      library.compiled.clear()
      library.keptCharacters = 0
    }
    library.compiled.set(key, templates)
    library.keptCharacters += key.length
  }
  return templates
}

/** Adds templates to a set; one of nothing but space does not replace another. */
function addAll(own: Map<string, Template>, templates: readonly Template[], below: Templates | undefined): void {
  for (const template of templates) {
    const { name, root } = template.tree
    const isKnown = own.has(name) || (below !== undefined && lookUp(below, name) !== undefined)
    if (!isKnown || !isEmptyTree(root)) own.set(name, template)
  }
}

const tooDeep = 'the template nests too deeply, or has too many parts'

/**
 * Parses files in their order into one set: each is a template under its own name, and a later definition replaces an
 * earlier one. The first file that does not parse is the problem, in Go's words.
 */
export function parseTemplates(
  files: readonly TemplateFile[],
  functions: FunctionTable,
  delimiters: Delimiters = {},
): Result<TemplateSet> {
  const library = libraryOf(functions)
  const own = new Map<string, Template>()
  for (const file of files) {
    try {
      addAll(own, compileFile(library, file, delimiters), undefined)
    } catch (error) {
      if (error instanceof RangeError) return fail({ code: 'template-parse', at: file.name, message: tooDeep })
      if (!(error instanceof ParseError)) throw error
      return fail({ code: 'template-parse', at: file.name, message: error.message })
    }
  }
  return succeed({ templates: { own, below: undefined, functions: library.functions }, functions })
}

function compileOver(library: Library, name: string, text: string, below: Templates): Templates | string {
  try {
    const own = new Map<string, Template>()
    const templates = compileFile(library, { name, text }, {})
    addAll(own, templates, below)
    // What is executed is this text, even when it holds nothing and another template has its name.
    const main = templates.find((template) => template.tree.name === name)
    if (main) own.set(name, main)
    return { own, below, functions: below.functions }
  } catch (error) {
    if (error instanceof ParseError) return error.message
    throw error
  }
}

/** Executes one template of a set on data. Problems carry Go's message and the place FILE:LINE:COLUMN. */
export function execute(set: TemplateSet, name: string, data: unknown, options: ExecuteOptions = {}): Result<string> {
  const template = lookUp(set.templates, name)
  if (!template) {
    return fail({ code: 'template-missing', at: name, message: `template: no template "${name}" in the set` })
  }
  const library = libraryOf(set.functions)
  const run = new Run(set.templates, template, {
    missingKey: options.missingKey ?? 'default',
    budget: { ...usualBudget, ...options.budget },
    context: options.context,
    compileText: (called, text, below) => compileOver(library, called, text, below),
  })
  run.dot = data ?? undefined
  run.vars = [run.dot]
  try {
    template.exec(run)
    const out = settleBytes(run.out)
    return succeed(options.keepsBytes === true ? out : wellFormed(out))
  } catch (error) {
    // The engine's stack is the depth of templates and data: running out of it is the user's to mend.
    if (error instanceof RangeError)
      return fail({ code: 'template-limit', at: name, message: `template: ${name}: ${tooDeep}` })
    if (error instanceof BudgetError) return fail({ code: 'template-limit', at: error.at, message: error.message })
    if (error instanceof ExecError) return fail({ code: 'template-execute', at: error.at, message: error.message })
    throw error
  }
}
