// Bundles the command line into one file: dist/idp.js. Native and wasm packages stay outside it.
import { chmodSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { build } from 'esbuild'
import { root } from './ensure.mjs'

const { version, dependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
// Pure JavaScript is bundled; what ships binaries or loads files beside itself is left to node_modules.
const bundled = new Set(['commander', 'js-yaml', 're2js', 'yaml', 'ipaddr.js'])
const outfile = join(root, 'dist', 'idp.js')

await build({
  absWorkingDir: root,
  entryPoints: ['src/cli/main.ts'],
  outfile,
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node20.19',
  external: Object.keys(dependencies).filter((name) => !bundled.has(name)),
  define: { IDP_VERSION: JSON.stringify(version) },
  banner: {
    js: "#!/usr/bin/env node\nimport { createRequire as idpCreateRequire } from 'node:module';const require = idpCreateRequire(import.meta.url);",
  },
  sourcemap: 'linked',
  minifySyntax: true,
  minifyWhitespace: true,
  legalComments: 'none',
  logLevel: 'warning',
})
chmodSync(outfile, 0o755)
