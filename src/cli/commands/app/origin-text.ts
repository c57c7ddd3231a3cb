import type { ObjectOrigin } from '../../../render/application/render-source.ts'
import { SETTINGS_FILE } from '../../../render/settings/read-settings.ts'

/** Where a manifest was written and which settings it was filled with, as comments above it; nothing where that is not known. */
export function originText(origin: ObjectOrigin | undefined): string {
  if (!origin || origin.file === '') return ''
  const { file, line, settings = [] } = origin
  const place = line === undefined ? file : `${file}:${line}`
  const filled = settings.map(({ field, settings: names }) => `# ${field}: ${names.join(', ')} of ${SETTINGS_FILE}\n`)
  return `# ${place}\n${filled.join('')}`
}
