import { defineConfig } from 'vitest/config'

export default defineConfig({
  define: { IDP_VERSION: '"test"' },
  test: {
    // Stories run the built command line.
    globalSetup: ['scripts/vitest-setup.mjs'],
    include: ['src/**/*.test.ts', 'test/**/*.test.ts'],
    exclude: ['**/node_modules/**', '**/testdata/**'],
    testTimeout: 60_000,
    // A machine may be busy with something else for a while.
    expect: { poll: { timeout: 30_000 } },
    hookTimeout: 60_000,
    pool: 'forks',
    maxWorkers: 2,
  },
})
