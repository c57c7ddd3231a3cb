import { MONTHS, WEEKDAYS } from '../../../lib/go-layout.ts'
import type { Machine } from '../machine.ts'
import { LuaTable, type LuaValue, numberOf } from '../value.ts'
import { type Builtin, numberAt, tableAt, textAt } from './library.ts'

const two = (value: number): string => String(value).padStart(2, '0')
const short = (name: string | undefined): string => (name ?? '').slice(0, 3)

/** What `%x` of a format writes; the time zone is always UTC. */
const directives: Readonly<Record<string, (date: Date) => string>> = {
  a: (date) => short(WEEKDAYS[date.getUTCDay()]),
  A: (date) => WEEKDAYS[date.getUTCDay()] ?? '',
  b: (date) => short(MONTHS[date.getUTCMonth()]),
  B: (date) => MONTHS[date.getUTCMonth()] ?? '',
  c: (date) => format(date, '%a %b %d %H:%M:%S %Y'),
  d: (date) => two(date.getUTCDate()),
  F: (date) => format(date, '%Y-%m-%d'),
  H: (date) => two(date.getUTCHours()),
  I: (date) => two(date.getUTCHours() % 12 || 12),
  j: (date) => String(dayOfYear(date)).padStart(3, '0'),
  m: (date) => two(date.getUTCMonth() + 1),
  M: (date) => two(date.getUTCMinutes()),
  p: (date) => (date.getUTCHours() < 12 ? 'AM' : 'PM'),
  S: (date) => two(date.getUTCSeconds()),
  T: (date) => format(date, '%H:%M:%S'),
  w: (date) => String(date.getUTCDay()),
  x: (date) => format(date, '%m/%d/%y'),
  X: (date) => format(date, '%H:%M:%S'),
  y: (date) => two(date.getUTCFullYear() % 100),
  Y: (date) => String(date.getUTCFullYear()),
  z: () => '+0000',
  Z: () => 'UTC',
  '%': () => '%',
}

function format(date: Date, pattern: string): string {
  return pattern.replace(/%(.)/g, (whole, letter: string) =>
    Object.hasOwn(directives, letter) ? (directives[letter]?.(date) ?? '') : whole,
  )
}

const dayOfYear = (date: Date): number =>
  Math.floor((date.getTime() - Date.UTC(date.getUTCFullYear(), 0, 1)) / 86_400_000) + 1

function dateTable(date: Date): LuaTable {
  const table = new LuaTable()
  const fields: Readonly<Record<string, LuaValue>> = {
    year: date.getUTCFullYear(),
    month: date.getUTCMonth() + 1,
    day: date.getUTCDate(),
    hour: date.getUTCHours(),
    min: date.getUTCMinutes(),
    sec: date.getUTCSeconds(),
    wday: date.getUTCDay() + 1,
    yday: dayOfYear(date),
    isdst: false,
  }
  for (const [name, value] of Object.entries(fields)) table.set(name, value)
  return table
}

function time(args: readonly LuaValue[], machine: Machine): readonly LuaValue[] {
  if (args[0] === undefined) return [Math.floor(machine.nowMs / 1000)]
  const table = tableAt(args, 0, machine)
  const field = (name: string, otherwise?: number): number => {
    const value = numberOf(table.get(name)) ?? otherwise
    if (value === undefined) throw machine.error(`field '${name}' missing in date table`)
    return value
  }
  const day = [field('year'), field('month') - 1, field('day')] as const
  return [Date.UTC(...day, field('hour', 12), field('min', 0), field('sec', 0)) / 1000]
}

/** What is safe of `os.*`. */
export const os: Readonly<Record<string, Builtin>> = {
  time,
  clock: () => [0],
  difftime: (args, machine) => [numberAt(args, 0, machine) - numberAt(args, 1, machine, 0)],
  date(args, machine) {
    const pattern = textAt(args, 0, machine, '%c').replace(/^!/, '')
    const date = new Date(numberAt(args, 1, machine, Math.floor(machine.nowMs / 1000)) * 1000)
    if (Number.isNaN(date.getTime())) throw machine.error('time is out of range')
    return [pattern.startsWith('*t') ? dateTable(date) : format(date, pattern)]
  },
}
