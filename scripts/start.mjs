// npm start: install and build what is stale, then hand over to the command line.
import { ensureBuilt, ensureInstalled, run } from './ensure.mjs'

ensureInstalled()
ensureBuilt()
const args = process.argv.slice(2)
process.exit(run(process.execPath, ['dist/idp.js', ...(args.length > 0 ? args : ['up'])]))
