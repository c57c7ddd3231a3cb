import type { KubeObject } from '../../kube/object.ts'
import { isObject } from '../../lib/json.ts'

export const ROOT_CA = 'kube-root-ca.crt'
export const TOKEN_TYPE = 'kubernetes.io/service-account-token'
const NAME = 'kubernetes.io/service-account.name'
const UID = 'kubernetes.io/service-account.uid'

/** What a namespace has of what every namespace gets. */
export interface SeenNamespace {
  readonly namespace: KubeObject
  readonly account: KubeObject | undefined
  readonly rootCaMap: KubeObject | undefined
  /** Absent where nobody says whom to trust. */
  readonly rootCa: string | undefined
}

export type NamespaceAction = { readonly because: string } & (
  | { readonly do: 'create-account' }
  | { readonly do: 'create-root-ca'; readonly map: KubeObject }
  | { readonly do: 'update-root-ca'; readonly map: KubeObject }
)

/** Decides what a namespace lacks; one that is going away gets nothing more. */
export function planNamespaceAccounts({
  namespace,
  account,
  rootCaMap,
  rootCa,
}: SeenNamespace): readonly NamespaceAction[] {
  if (namespace.metadata.deletionTimestamp !== undefined) return []
  const actions: NamespaceAction[] = []
  if (!account) actions.push({ do: 'create-account', because: 'every namespace has the ServiceAccount default' })
  if (rootCa === undefined) return actions
  const data = { 'ca.crt': rootCa }
  if (!rootCaMap) {
    const map: KubeObject = {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: {
        name: ROOT_CA,
        annotations: {
          'kubernetes.io/description':
            'Holds the certificate of the authority by which the internal addresses of the API server can be checked.',
        },
      },
      data,
    }
    actions.push({ do: 'create-root-ca', map, because: 'every namespace has the certificate of the authority' })
  } else if (!isObject(rootCaMap['data']) || rootCaMap['data']['ca.crt'] !== rootCa) {
    const map = { ...rootCaMap, data }
    actions.push({ do: 'update-root-ca', map, because: 'it holds something else than the certificate' })
  }
  return actions
}

/** A token Secret with the account that it names. */
export interface SeenTokenSecret {
  readonly secret: KubeObject
  readonly account: KubeObject | undefined
  readonly rootCa: string | undefined
}

export type TokenAction =
  | { readonly do: 'nothing' }
  | { readonly do: 'delete'; readonly because: string }
  /** Fills in what is absent; the token itself is issued only when asked for. */
  | {
      readonly do: 'fill'
      readonly because: string
      readonly needsToken: boolean
      readonly annotations: Readonly<Record<string, string>>
      readonly data: Readonly<Record<string, string>>
    }

/** The account that a token Secret names, if it is one. */
export function accountNamedBy(secret: KubeObject): string | undefined {
  return secret['type'] === TOKEN_TYPE ? secret.metadata.annotations?.[NAME] : undefined
}

/** Decides what a token Secret lacks. It goes with its account, and with another account of the name it has no place. */
export function planTokenSecret({ secret, account, rootCa }: SeenTokenSecret): TokenAction {
  const name = accountNamedBy(secret)
  if (name === undefined || secret.metadata.deletionTimestamp !== undefined) return { do: 'nothing' }
  if (!account) return { do: 'delete', because: `the ServiceAccount ${name} is not there` }
  const { uid = '' } = account.metadata
  const named = secret.metadata.annotations?.[UID]
  if (named !== undefined && named !== '' && named !== uid)
    return { do: 'delete', because: `it belongs to an earlier ServiceAccount ${name}` }
  const has = isObject(secret['data']) ? secret['data'] : {}
  const base64 = (text: string): string => Buffer.from(text).toString('base64')
  const data: Record<string, string> = {}
  const namespace = base64(secret.metadata.namespace ?? '')
  if (has['namespace'] !== namespace) data['namespace'] = namespace
  if (rootCa !== undefined && has['ca.crt'] !== base64(rootCa)) data['ca.crt'] = base64(rootCa)
  const needsToken = typeof has['token'] !== 'string' || has['token'] === ''
  if (named === uid && !needsToken && Object.keys(data).length === 0) return { do: 'nothing' }
  const because = needsToken ? 'it has no token' : 'it is not complete'
  return { do: 'fill', because, needsToken, annotations: { [UID]: uid }, data }
}
