interface Step {
  readonly location: string
  readonly executing: string
  readonly message: string
}

const EXECUTING = /^template: (.*?): executing "((?:[^"\\]|\\.)*)" at <(.*?)>: (.*)$/s

/** The steps of a trace, outermost first; undefined when an error in it is no template's own. */
function stepsOf(trace: string): readonly Step[] | undefined {
  const steps: Step[] = []
  for (let rest = trace; ;) {
    if (rest.startsWith('template: no template ')) return [...steps, { location: '', executing: '', message: rest }]
    const [, location, name = '', at = '', message = ''] = EXECUTING.exec(rest) ?? []
    if (location === undefined) return undefined
    const inner = message.indexOf(' template: ')
    const executing = `executing "${name}" at <${at}>:`
    if (inner < 0) {
      // What a function returned is an error of its own, and helm then shows the trace as it is.
      return message.startsWith('error calling ') ? undefined : [...steps, { location, executing, message }]
    }
    const own = message.slice(0, inner)
    if (!/^error calling \w+:$/.test(own)) return undefined
    steps.push({ location, executing, message: own })
    rest = message.slice(inner + 1)
  }
}

const paragraph = ({ location, executing, message }: Step): string =>
  `${location === '' ? '' : `${location}\n  `}${executing === '' ? '' : `${executing}\n    `}${message}\n`

/** A trace as helm 4 prints it: one step a paragraph. */
export function reformatTrace(trace: string): string {
  return stepsOf(trace)?.map(paragraph).join('').trim() ?? trace
}
