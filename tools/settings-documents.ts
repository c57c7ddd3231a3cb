import { SETTINGS_FILE } from '../src/render/settings/read-settings.ts'
import { type SettingsSchema, settingsSchema } from '../src/render/settings/settings-schema.ts'

/** The JSON Schema that editors read, as it lies in the blueprint. */
export function settingsJsonSchema(): string {
  const { type: _type, ...rest } = settingsSchema
  const schema = {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: `Settings of a platform (${SETTINGS_FILE})`,
    type: ['object', 'null'],
    ...rest,
  }
  return `${JSON.stringify(schema, undefined, 2)}\n`
}

/** The page about `idp.yaml`, as it lies in the documents. */
export function settingsReference(): string {
  const sections = Object.entries(settingsSchema.properties ?? {}).map(([name, section]) => sectionText(name, section))
  return [
    '# idp.yaml',
    '',
    '<!-- Written by `node scripts/run-ts.mjs tools/generate-settings.ts` from src/render/settings/settings-schema.ts. -->',
    '',
    'The settings of a platform, at the root of its repository. All of them can be left out. A key that is not listed here is refused,',
    'with its line and what was probably meant. Editors that read the first line check the file while it is written:',
    '',
    '```yaml',
    '# yaml-language-server: $schema=./idp.schema.json',
    '```',
    '',
    '## References',
    '',
    'Manifests that an Application renders from the repository, and those in `IT/`, may refer to a setting in any value, as',
    '`${idp.SECTION.KEY}`; so may files that ApplicationSets take parameters from. The controllers put the value in; nothing is replaced in the repository.',
    '',
    '| written | becomes |',
    '|---|---|',
    '| `port: ${idp.gateway.httpsPort}` | a number: a value that is nothing but a reference keeps the type of the setting |',
    '| `https://demo.${idp.dns.suffix}/` | text, with the value written out |',
    '| in `labels`, `annotations`, `selector`, `matchLabels`, `matchExpressions`, `nodeSelector`, `args`, `command`, `env[].value`, and the `data` of ConfigMaps and Secrets | always text: Kubernetes takes nothing else there |',
    '| `$${idp.dns.suffix}` | the text `${idp.dns.suffix}` |',
    '| `${HOME}`, `$VAR` | left alone |',
    '',
    'YAML reads braces of its own within `{ }` and `[ ]`: put a reference in quotes there. Quotes make no difference to its type.',
    '',
    'What a reference names has to be there: otherwise the Application gets a `ComparisonError` with the file, the field, the key and what was',
    'probably meant, and nothing of it is applied. Keys cannot be references, nor can sections, `nodes` and `simulation` be referred to.',
    'Values of Helm charts in the repository are replaced before the chart sees them, so that a number is a number in a template.',
    'The settings of a commit belong to that commit: what is rendered from a revision refers to `idp.yaml` at that revision, and a change of a',
    'setting renders again what refers to settings, and nothing else. A repository without `idp.yaml` has no references: its text is left alone.',
    '',
    '`IT/` is not reconciled: after a change of a setting that it refers to, such as the domain, `idp bootstrap` applies it.',
    '`idp app manifests NAME` shows each manifest with its file and the fields that settings were put into.',
    '',
    'Kustomize names generated ConfigMaps by what is in them after the replacement, so a changed setting is a new name, and Pods that',
    'mount it are replaced. Secrets that Kustomize generates hold their values encoded: nothing in them is replaced.',
    '',
    ...sections.flatMap((text) => [text, '']),
  ].join('\n')
}

function sectionText(name: string, section: SettingsSchema): string {
  const rows = rowsOf(section)
  const head = `## ${name}\n\n${section.description}`
  if (rows.length === 0) return head
  return [head, '', '| key | type | default | |', '|---|---|---|---|', ...rows].join('\n')
}

function rowsOf(section: SettingsSchema, prefix: string = ''): readonly string[] {
  const { properties = {}, additionalProperties, items } = section
  const known = Object.entries(properties).flatMap(([key, value]) => rowsFor(`${prefix}${key}`, value))
  const other = additionalProperties ? rowsFor(`${prefix}NAME`, additionalProperties) : []
  return [...known, ...other, ...(items?.properties ? rowsOf(items, `${prefix}[].`) : [])]
}

function rowsFor(key: string, value: SettingsSchema): readonly string[] {
  const usual = value.default === undefined ? '' : `\`${String(value.default)}\``
  const row = `| \`${key}\` | ${typeText(value)} | ${usual} | ${value.description.replaceAll('|', '\\|')} |`
  return [row, ...rowsOf(value, `${key}.`)]
}

const WORDS: Readonly<Record<string, string>> = {
  object: 'section',
  array: 'list',
  string: 'text',
  boolean: 'true or false',
}

function typeText({ type, minimum, maximum, ...schema }: SettingsSchema): string {
  if (schema.enum) return schema.enum.map((word) => `\`${word}\``).join(' or ')
  const types = typeof type === 'string' ? [type] : type.filter((each) => each !== 'null')
  const range = minimum === undefined ? '' : `, ${minimum} to ${maximum ?? '...'}`
  return `${types.map((each) => WORDS[each] ?? each).join(' or ')}${range}`
}
