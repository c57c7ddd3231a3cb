import { type Builtin, numberAt } from './library.ts'

const ofOne: Readonly<Record<string, (value: number) => number>> = {
  abs: Math.abs,
  acos: Math.acos,
  asin: Math.asin,
  atan: Math.atan,
  ceil: Math.ceil,
  cos: Math.cos,
  cosh: Math.cosh,
  deg: (value) => (value * 180) / Math.PI,
  exp: Math.exp,
  floor: Math.floor,
  log: Math.log,
  log10: Math.log10,
  rad: (value) => (value * Math.PI) / 180,
  sin: Math.sin,
  sinh: Math.sinh,
  sqrt: Math.sqrt,
  tan: Math.tan,
  tanh: Math.tanh,
}

const single = Object.entries(ofOne).map(([name, act]): readonly [string, Builtin] => [
  name,
  (args, machine) => [act(numberAt(args, 0, machine))],
])

/** `math.*`; there is no chance: `random` always answers the middle. */
export const math: Readonly<Record<string, Builtin>> = {
  ...Object.fromEntries(single),
  atan2: (args, machine) => [Math.atan2(numberAt(args, 0, machine), numberAt(args, 1, machine))],
  fmod: (args, machine) => [numberAt(args, 0, machine) % numberAt(args, 1, machine)],
  mod: (args, machine) => [numberAt(args, 0, machine) % numberAt(args, 1, machine)],
  pow: (args, machine) => [numberAt(args, 0, machine) ** numberAt(args, 1, machine)],
  ldexp: (args, machine) => [numberAt(args, 0, machine) * 2 ** numberAt(args, 1, machine)],
  modf(args, machine) {
    const value = numberAt(args, 0, machine)
    return [Math.trunc(value), value % 1]
  },
  max: (args, machine) => [Math.max(numberAt(args, 0, machine), ...args.map((_, at) => numberAt(args, at, machine)))],
  min: (args, machine) => [Math.min(numberAt(args, 0, machine), ...args.map((_, at) => numberAt(args, at, machine)))],
  random(args, machine) {
    if (args.length === 0) return [0.5]
    const low = args.length > 1 ? numberAt(args, 0, machine) : 1
    const high = numberAt(args, args.length > 1 ? 1 : 0, machine)
    return [Math.floor((low + high) / 2)]
  },
  randomseed: () => [],
}
