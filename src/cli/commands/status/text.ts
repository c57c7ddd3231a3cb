import type { PlatformStatus } from './look.ts'

const MOST_RED = 15

/** How a platform stands, on one screen. */
export function statusText({ running, desired, actionable, observed, red }: PlatformStatus): string {
  const line = (name: string, text: string): string => `${name.padEnd(12)} ${text}\n`
  const shown = red
    .slice(0, MOST_RED)
    .map(({ what, because }) => line('  red', `${what}: ${because.split('\n')[0] ?? ''}`))
  const rest = red.length > MOST_RED ? line('', `and ${red.length - MOST_RED} more: -o json shows all`) : ''
  return [
    running
      ? line('Platform', `process ${running.pid} at ${running.url}, since ${running.since}`)
      : line('Platform', 'a cluster elsewhere'),
    running ? line('Repository', running.repository) : '',
    '\n',
    line(
      'Desired',
      `${desired.settled} of ${desired.applications} Applications Synced and Healthy, from ${desired.applicationSets} ApplicationSets`,
    ),
    line(
      'Actionable',
      counts([
        [actionable.policies, 'policies'],
        [actionable.violations, 'violations'],
        [actionable.eventSources, 'event sources'],
        [actionable.sensors, 'sensors'],
      ]),
    ),
    line(
      'Observed',
      counts([
        [observed.nodes, 'nodes'],
        [observed.pods, 'Pods'],
        [observed.certificates, 'certificates'],
        [observed.externalSecrets, 'external secrets'],
        [observed.routes, 'routes'],
      ]),
    ),
    '\n',
    red.length === 0 ? 'Everything is as it should be.\n' : shown.join('') + rest,
  ].join('')
}

function counts(all: readonly (readonly [number | undefined, string])[]): string {
  const known = all.flatMap(([count, what]) => (count === undefined ? [] : [`${count} ${what}`]))
  return known.length === 0 ? 'nothing of it is served' : known.join(', ')
}
