/** The Kubernetes version whose API this server speaks. */
export const versionInfo = {
  major: '1',
  minor: '34',
  gitVersion: 'v1.34.0+idp',
  gitCommit: '',
  gitTreeState: 'clean',
  buildDate: '2026-01-01T00:00:00Z',
  goVersion: 'none',
  compiler: 'none',
  platform: 'node/any',
  emulationMajor: '1',
  emulationMinor: '34',
  minCompatibilityMajor: '1',
  minCompatibilityMinor: '33',
} as const
