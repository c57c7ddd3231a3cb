import { parseTime } from '../../kube/time.ts'
import { parseDuration } from '../../lib/duration.ts'
import { fieldsOf, objectsOf, textOf, textsOf } from '../../lib/fields.ts'
import { isObject, own } from '../../lib/json.ts'
import { compilePattern } from '../../lib/re2.ts'
import { readExclusions } from '../sources/calendar/exclusions.ts'
import { readSchedule } from '../sources/calendar/schedule.ts'
import { labelSelectorOf } from '../sources/resource/label-selector.ts'
import type { Check } from './check.ts'
import type { Fields } from './event-source.ts'

/** What is wrong with a calendar. */
export function checkCalendar(check: Check, spec: Fields, at: string): void {
  const schedule = readSchedule(spec)
  if (!schedule.ok) for (const problem of schedule.error) check.refuse(placeOf(at, problem.at), problem.message)
  const exclusions = readExclusions(textsOf(spec, 'exclusionDates') ?? [])
  if (!exclusions.ok) {
    for (const problem of exclusions.error) check.refuse(placeOf(`${at}.exclusionDates`, problem.at), problem.message)
  }
  const persistence = own(spec, 'persistence')
  if (!isObject(persistence)) return
  const longest = textOf(fieldsOf(persistence, 'catchup'), 'maxDuration')
  if (longest !== '' && !parseDuration(longest).ok) {
    check.refuse(`${at}.persistence.catchup.maxDuration`, `${quote(longest)} is not a duration such as 5m`)
  }
  const configMap = own(persistence, 'configMap')
  if (isObject(configMap) && textOf(configMap, 'name') === '') {
    check.refuse(`${at}.persistence.configMap.name`, 'must name the ConfigMap to remember the last event in')
  }
}

const placeOf = (at: string, more: string | undefined): string =>
  more === undefined || more === '' ? at : more.startsWith('[') ? `${at}${more}` : `${at}.${more}`

const EVENT_TYPES = ['ADD', 'UPDATE', 'DELETE']
const FIELD_OPERATIONS = ['=', '==', '!=']

/** What is wrong with a watch of objects. */
export function checkResource(check: Check, spec: Fields, at: string): void {
  if (textOf(spec, 'version') === '') check.refuse(`${at}.version`, 'version must be specified')
  if (textOf(spec, 'resource') === '') check.refuse(`${at}.resource`, 'resource must be specified')
  const types = textsOf(spec, 'eventTypes')
  if (!types) check.refuse(`${at}.eventTypes`, 'event types must be specified')
  for (const type of types ?? []) {
    if (!EVENT_TYPES.includes(type)) check.refuse(`${at}.eventTypes`, `unknown event type: ${quote(type)}`)
  }
  checkResourceFilter(check, fieldsOf(spec, 'filter'), at)
}

function checkResourceFilter(check: Check, filter: Fields, at: string): void {
  const labels = labelSelectorOf(objectsOf(filter, 'labels') ?? [])
  if (!labels.ok) for (const problem of labels.error) check.refuse(`${at}.filter.labels`, problem.message)
  for (const [index, selector] of (objectsOf(filter, 'fields') ?? []).entries()) {
    const place = `${at}.filter.fields[${index}]`
    if (textOf(selector, 'key') === '') check.refuse(`${place}.key`, "key can't be empty for selector")
    const operation = textOf(selector, 'operation')
    if (!FIELD_OPERATIONS.includes(operation)) {
      check.refuse(`${place}.operation`, `must be one of ${FIELD_OPERATIONS.join(', ')}: nothing passes otherwise`)
    }
    const pattern = compilePattern(textOf(selector, 'value'))
    if (!pattern.ok) check.refuse(`${place}.value`, pattern.error[0]?.message ?? 'is no pattern')
  }
  const createdBy = own(filter, 'createdBy') ?? undefined
  if (createdBy !== undefined && (typeof createdBy !== 'string' || parseTime(createdBy) === undefined)) {
    check.refuse(`${at}.filter.createdBy`, 'must be a time such as 2026-01-02T15:04:05Z')
  }
}

const FILE_OPERATIONS = ['CREATE', 'WRITE', 'REMOVE', 'RENAME', 'CHMOD']

/** What is wrong with a watch of files. */
export function checkFile(check: Check, spec: Fields, at: string): void {
  const type = textOf(spec, 'eventType')
  if (type === '') check.refuse(`${at}.eventType`, 'type must be specified')
  else if (!type.split('|').every((one) => FILE_OPERATIONS.includes(one))) {
    check.refuse(`${at}.eventType`, `${quote(type)} is none of ${FILE_OPERATIONS.join(', ')}`)
  }
  const config = fieldsOf(spec, 'watchPathConfig')
  const [directory, path, pattern] = ['directory', 'path', 'pathRegexp'].map((name) => textOf(config, name))
  const place = `${at}.watchPathConfig`
  if (!directory) check.refuse(`${place}.directory`, 'directory is required')
  else if (!directory.startsWith('/')) check.refuse(`${place}.directory`, 'directory must be an absolute file path')
  if (!path && !pattern) check.refuse(place, 'either path or pathRegexp must be specified')
  if (path && pattern) check.refuse(place, 'path and pathRegexp cannot be specified together')
  if (path?.startsWith('/')) check.refuse(`${place}.path`, 'path must be a relative file path')
  if (!pattern) return
  const compiled = compilePattern(pattern)
  if (!compiled.ok) check.refuse(`${place}.pathRegexp`, compiled.error[0]?.message ?? 'is no pattern')
}

const quote = (text: string): string => JSON.stringify(text.slice(0, 60))
