/** What a token is. */
export type TokenKind =
  | 'end of expression'
  | 'name'
  | 'quoted name'
  | 'variable'
  | 'number'
  | 'literal'
  | 'string'
  | '.'
  | '*'
  | ','
  | ':'
  | '{'
  | '}'
  | ']'
  | '('
  | ')'
  | '@'
  | '['
  | '[?'
  | '[]'
  | '|'
  | '||'
  | '&'
  | '&&'
  | '!'
  | '!='
  | '<'
  | '<='
  | '>'
  | '>='
  | '=='
  | '='

/** A word of an expression. */
export interface Token {
  readonly kind: TokenKind
  /** The name, the digits, the text of a string, the JSON of a literal. */
  readonly text: string
  /** Where it begins, from 0. */
  readonly offset: number
}
