/** Each check answers why a text is not acceptable; an empty list means that it is. */
export type NameCheck = (text: string) => readonly string[]

const LABEL = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/
const SUBDOMAIN = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/
const RFC1035 = /^[a-z]([-a-z0-9]*[a-z0-9])?$/
const QUALIFIED = /^([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]$/
const CONFIG_KEY = /^[-._a-zA-Z0-9]+$/
const ENV_NAME = /^[-._a-zA-Z][-._a-zA-Z0-9]*$/
const C_IDENTIFIER = /^[A-Za-z_][A-Za-z0-9_]*$/
const PORT_NAME = /^[-a-z0-9]+$/

const longest = (text: string, most: number): readonly string[] =>
  text.length > most ? [`must be no more than ${most} characters`] : []
const shape = (text: string, pattern: RegExp, message: string): readonly string[] =>
  pattern.test(text) ? [] : [message]

/** A DNS label: most names that become host names. */
export const checkDnsLabel: NameCheck = (text) => [
  ...longest(text, 63),
  ...shape(
    text.slice(0, 64),
    LABEL,
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name' or '123-abc')",
  ),
]

/** A DNS subdomain: the names of most objects. */
export const checkDnsSubdomain: NameCheck = (text) => [
  ...longest(text, 253),
  ...shape(
    text.slice(0, 254),
    SUBDOMAIN,
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com')",
  ),
]

/** A DNS label that begins with a letter: Service names. */
export const checkDns1035Label: NameCheck = (text) => [
  ...longest(text, 63),
  ...shape(
    text.slice(0, 64),
    RFC1035,
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name' or 'abc-123')",
  ),
]

/** A name that may stand in a URL path: RBAC objects. */
export const checkPathSegment: NameCheck = (text) => {
  if (text === '.' || text === '..') return [`may not be '${text}'`]
  return ['/', '%'].filter((part) => text.includes(part)).map((part) => `may not contain '${part}'`)
}

/** A label or annotation key: an optional DNS prefix, a slash, and a name of at most 63 characters. */
export const checkQualifiedName: NameCheck = (text) => {
  const parts = text.split('/')
  if (parts.length > 2) {
    return [
      "a qualified name must consist of alphanumeric characters, '-', '_' or '.', with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')",
    ]
  }
  const [prefix, name] = parts.length === 2 ? parts : [undefined, parts[0]]
  const problems: string[] = []
  if (prefix === '') problems.push('prefix part must be non-empty')
  else if (prefix !== undefined) problems.push(...checkDnsSubdomain(prefix).map((because) => `prefix part ${because}`))
  if (name === undefined || name === '') problems.push('name part must be non-empty')
  else {
    problems.push(...longest(name, 63).map((because) => `name part ${because}`))
    problems.push(
      ...shape(
        name.slice(0, 64),
        QUALIFIED,
        "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName', 'my.name' or '123-abc')",
      ),
    )
  }
  return problems
}

/** A label value: empty, or at most 63 characters. */
export const checkLabelValue: NameCheck = (text) =>
  text === ''
    ? []
    : [
        ...longest(text, 63),
        ...shape(
          text.slice(0, 64),
          QUALIFIED,
          "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue' or 'my_value')",
        ),
      ]

/** A key of a ConfigMap or Secret. */
export const checkConfigKey: NameCheck = (text) => {
  const problems = [
    ...longest(text, 253),
    ...shape(
      text.slice(0, 254),
      CONFIG_KEY,
      "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name' or 'KEY_NAME')",
    ),
  ]
  if (text === '.' || text === '..') problems.push(`must not be '${text}'`)
  else if (text.startsWith('..')) problems.push("must not start with '..'")
  return problems
}

/** The name of an environment variable. */
export const checkEnvName: NameCheck = (text) =>
  shape(
    text,
    ENV_NAME,
    "a valid environment variable name must consist of letters, digits, '_', '-' or '.', and must not start with a digit (e.g. 'MY_ENV' or 'my.env-name')",
  )

/** A C identifier, as downward API and some plugins ask for. */
export const checkCIdentifier: NameCheck = (text) =>
  shape(text, C_IDENTIFIER, "a valid C identifier must start with a letter or '_', followed by letters, digits or '_'")

/** The name of a container port. */
export const checkPortName: NameCheck = (text) => {
  const problems = [...longest(text, 15)]
  if (!PORT_NAME.test(text)) problems.push('must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)')
  if (!/[a-z]/.test(text)) problems.push('must contain at least one letter (a-z)')
  if (text.includes('--')) problems.push('must not contain consecutive hyphens')
  if (text.startsWith('-') || text.endsWith('-')) problems.push('must not begin or end with a hyphen')
  return problems
}
