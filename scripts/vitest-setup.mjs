import { ensureBuilt } from './ensure.mjs'

export default function setup() {
  ensureBuilt()
}
