const V4 = /^(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)(?:\.|$)){4}$/
const V6 = /^[0-9a-fA-F:.]{2,45}$/
const HOST =
  /^(?=.{1,253}$)[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?)*$/
const DATE = /^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])$/
const TIME = /^(?:[01]\d|2[0-3]):[0-5]\d:(?:[0-5]\d|60)(?:\.\d+)?(?:[zZ]|[-+]\d\d:\d\d)$/

const formats: Readonly<Record<string, (text: string) => boolean>> = {
  ipv4: (text) => V4.test(text),
  ipv6: (text) => V6.test(text) && text.includes(':') && text.split('::').length <= 2,
  hostname: (text) => HOST.test(text),
  email: (text) => /^[^\s@]+@[^\s@]+$/.test(text),
  uri: (text) => /^[a-zA-Z][a-zA-Z0-9+.-]*:[^\s]*$/.test(text),
  date: (text) => DATE.test(text),
  time: (text) => TIME.test(text),
  'date-time': (text) => DATE.test(text.slice(0, 10)) && /[tT ]/.test(text.charAt(10)) && TIME.test(text.slice(11)),
  uuid: (text) => /^[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$/.test(text),
}

/** Tells whether a text has a named format; formats nobody here knows are passed. */
export function isFormat(format: string, text: string): boolean {
  const test = Object.hasOwn(formats, format) ? formats[format] : undefined
  return test ? test(text) : true
}
