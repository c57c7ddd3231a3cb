import type { Suite } from './suite.ts'
import { argoEventsFilters } from './suites/argo-events-filters.ts'
import { argocdApplicationset } from './suites/argocd-applicationset.ts'
import { argocdHealth, argocdResourceHealth } from './suites/argocd-health.ts'
import { argocdE2e } from './suites/argocd-e2e.ts'
import { celChecking, celComprehensions, celEval, celParsing } from './suites/cel-eval.ts'
import { kustomize } from './suites/kustomize.ts'
import { kyvernoCli, kyvernoPoliciesCli } from './suites/kyverno-cli.ts'
import { kyvernoChainsaw } from './suites/kyverno-chainsaw.ts'
import { patches } from './suites/patches.ts'
import { serverSideApply } from './suites/server-side-apply.ts'
import { sprig } from './suites/sprig.ts'

/** Every suite in the order it is run. */
export const suites: readonly Suite[] = [
  argoEventsFilters,
  argocdApplicationset,
  argocdHealth,
  argocdResourceHealth,
  argocdE2e,
  celEval,
  celComprehensions,
  celParsing,
  celChecking,
  kustomize,
  kyvernoCli,
  kyvernoPoliciesCli,
  kyvernoChainsaw,
  patches,
  serverSideApply,
  sprig,
]
