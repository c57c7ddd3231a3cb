import { compileGlob } from '../../lib/glob.ts'
import { fail, type Result, succeed } from '../../lib/result.ts'
import type { AppProject } from './app-project.ts'

/** What may not stand in the name of a ServiceAccount to act as. */
export const ACCOUNT_DISALLOWED: RegExp = /[!*[\]{}\\/]/

/** Where an Application deploys to, as far as the choice of an account looks. */
export interface ImpersonatedPlace {
  readonly server: string
  readonly namespace: string
  /** Where the Application itself lives. */
  readonly applicationNamespace: string
}

/**
 * The user to act as at a destination, `system:serviceaccount:NAMESPACE:NAME`; undefined where no rule matches
 * (util/settings/impersonation.go). A rule that matches and is malformed refuses.
 */
export function serviceAccountFor(project: AppProject, place: ImpersonatedPlace): Result<string | undefined> {
  const accountNamespace = place.namespace || place.applicationNamespace
  for (const [index, rule] of project.destinationServiceAccounts.entries()) {
    const server = compileGlob(rule.server, 'gobwas')
    if (!server.ok) return server
    const namespace = compileGlob(rule.namespace, 'gobwas')
    if (!namespace.ok) return namespace
    if (!server.value(place.server) || !namespace.value(place.namespace)) continue
    const account = rule.defaultServiceAccount
    if (account.trim() === '' || ACCOUNT_DISALLOWED.test(account)) {
      return fail({
        code: 'service-account-invalid',
        at: `spec.destinationServiceAccounts[${index}].defaultServiceAccount`,
        message: `default service account contains invalid chars '${account}'`,
        cure: 'write NAME or NAMESPACE:NAME without wildcards',
      })
    }
    return succeed(`system:serviceaccount:${account.includes(':') ? account : `${accountNamespace}:${account}`}`)
  }
  return succeed(undefined)
}
