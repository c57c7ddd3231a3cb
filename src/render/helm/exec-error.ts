interface Step {
  readonly location: string
  readonly executing: string
  readonly message: string
}

const EXECUTING = /^template: (.*?): executing "((?:[^"\\]|\\.)*)" at <(.*?)>: (.*)$/s

/** The steps of a trace, outermost first; undefined when its innermost error is no template's. */
function stepsOf(trace: string): readonly Step[] | undefined {
  const steps: Step[] = []
  let rest: string | undefined = trace
  while (rest !== undefined) {
    const found: RegExpExecArray | null = EXECUTING.exec(rest)
    if (!found) return undefined
    const [, location = '', name = '', at = '', message = ''] = found
    const inner: number = message.indexOf(' template: ')
    steps.push({
      location,
      executing: `executing "${name}" at <${at}>:`,
      message: inner < 0 ? message : message.slice(0, inner),
    })
    rest = inner < 0 ? undefined : message.slice(inner + 1)
    // What a function returned is an error of its own, and helm then shows the trace as it is.
    if (rest === undefined && message.startsWith('error calling ')) return undefined
  }
  return steps
}

/** A trace as helm 4 prints it: one step a paragraph. */
export function reformatTrace(trace: string): string {
  const steps = stepsOf(trace)
  if (!steps) return trace
  return steps
    .map(({ location, executing, message }) => `${location}\n  ${executing}\n    ${message}\n`)
    .join('')
    .trim()
}
