/** One kustomization and where it is built. */
export interface KustomizeCase {
  readonly name: string
  readonly path: string
  readonly files: Readonly<Record<string, string>>
}

/** The sections of a text: each begins with a line `MARK title`. What stands in front of the first one is under ''. */
function sections(text: string, mark: string): readonly (readonly [title: string, body: string])[] {
  const found: [string, string[]][] = [['', []]]
  for (const line of text.split('\n')) {
    if (line.startsWith(`${mark} `)) found.push([line.slice(mark.length + 1), []])
    else found.at(-1)?.[1].push(line)
  }
  return found.map(([title, lines], index) => [title, lines.join('\n') + (index < found.length - 1 ? '\n' : '')])
}

function filesOf(text: string): Readonly<Record<string, string>> {
  const files = sections(text, '>>>').slice(1)
  return Object.fromEntries(files)
}

/**
 * Cases of a topic: `=== name @folder` begins one, `>>> path` a file. Files in front of the first case are in every one
 * of them, in the folder itself and, where a case names its own, replaced by that.
 */
export function readCases(text: string): readonly KustomizeCase[] {
  const [shared, ...cases] = sections(text, '===')
  const common = filesOf(shared?.[1] ?? '')
  return cases.map(([title, body]) => {
    const [name = '', path = ''] = title.split(' @')
    return { name, path, files: { ...common, ...filesOf(body) } }
  })
}

/** Answers by the name of the case. */
export function readWanted(text: string): Map<string, string> {
  return new Map(sections(text, '===').slice(1))
}
