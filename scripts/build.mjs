// Bundles the command line: dist/idp.js and the chunks it loads when a command needs them.
// Native and wasm packages stay outside. Without chunks every external package would load at every start.
import { chmodSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { basename, join } from 'node:path'
import { build } from 'esbuild'
import { fail, root } from './ensure.mjs'

const { version, dependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
// Pure JavaScript is bundled; what ships binaries or loads files beside itself is left to node_modules.
const bundled = new Set(['commander', 'js-yaml', 're2js', 'yaml', 'ipaddr.js'])
const dist = join(root, 'dist')

const { metafile } = await build({
  absWorkingDir: root,
  entryPoints: { idp: 'src/cli/main.ts' },
  outdir: dist,
  // Beside the entry, so that paths relative to the running file (lib/data-file.ts) mean the same in both.
  chunkNames: 'chunk-[hash]',
  splitting: true,
  metafile: true,
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
}).catch(() => fail('cannot bundle the command line'))
chmodSync(join(dist, 'idp.js'), 0o755)

const written = new Set(Object.keys(metafile.outputs).map((path) => basename(path)))
for (const name of readdirSync(dist)) {
  if (/^(idp|chunk-.*)\.js(\.map)?$/.test(name) && !written.has(name)) rmSync(join(dist, name), { force: true })
}
