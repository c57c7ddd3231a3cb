import { qualifiedName } from '../syntax/ast.ts'
import { SyntaxFailure } from '../syntax/lexer.ts'
import { argument, isNamespace, type Macro } from '../syntax/macro.ts'
import type { Library } from './library.ts'

function extensionMacro(name: string, testOnly: boolean): Macro {
  return {
    name,
    receiver: true,
    arity: 2,
    expand(nodes, call) {
      if (!isNamespace(call.target, 'proto')) return undefined
      const path = argument(call, 1)
      const field = path.kind === 'select' ? qualifiedName(path) : undefined
      if (field === undefined) throw new SyntaxFailure(path.at, 'invalid extension field')
      return nodes.select(call.at, argument(call, 0), field, testOnly)
    },
  }
}

/** Extension fields of messages. */
export const protosLibrary: Library = {
  name: 'protos',
  macros: [extensionMacro('getExt', false), extensionMacro('hasExt', true)],
}
