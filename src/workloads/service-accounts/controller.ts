import type { KubeObject } from '../../kube/object.ts'
import type { ApiResult } from '../../kube/status.ts'
import { isObject } from '../../lib/json.ts'
import { type Controller, retryAfter } from '../../runtime/controller.ts'
import { keyOf, partsOf } from '../../runtime/object-cache.ts'
import { done, type Turn } from '../../runtime/work-queue.ts'
import type { ClusterPorts } from '../cluster-controller.ts'
import { configMaps, namespaces, secrets, serviceAccounts } from '../collections.ts'
import {
  accountNamedBy,
  planNamespaceAccounts,
  planTokenSecret,
  ROOT_CA,
  TOKEN_TYPE,
  type TokenAction,
} from './plan.ts'

const ACCOUNT = 'default'

/** Gives every namespace its default ServiceAccount and the certificate of the authority. */
export function namespaceAccounts({ client, informers, rootCa }: ClusterPorts): Controller {
  const all = informers.shared({ collection: { resource: namespaces } })
  const accounts = informers.shared({
    collection: { resource: serviceAccounts },
    fieldSelector: `metadata.name=${ACCOUNT}`,
  })
  const maps = informers.shared({ collection: { resource: configMaps }, fieldSelector: `metadata.name=${ROOT_CA}` })
  const ofNamespace = ({ metadata }: KubeObject): readonly string[] => [`/${metadata.namespace ?? ''}`]
  return {
    name: 'service-account',
    watches: [{ informer: all }, { informer: accounts, keys: ofNamespace }, { informer: maps, keys: ofNamespace }],
    concurrency: 4,
    async reconcile(key, { log, signal }) {
      const namespace = all.cache.get(key)
      if (!namespace) return done
      const { name } = partsOf(key)
      const account = accounts.cache.get(`${name}/${ACCOUNT}`)
      const rootCaMap = maps.cache.get(`${name}/${ROOT_CA}`)
      for (const action of planNamespaceAccounts({ namespace, account, rootCaMap, rootCa })) {
        log.info('completing a namespace', { do: action.do, because: action.because })
        const turn = turnAfter(await write(action, name, signal))
        if (turn) return turn
      }
      return done
    },
  }

  function write(
    action: ReturnType<typeof planNamespaceAccounts>[number],
    namespace: string,
    signal: AbortSignal,
  ): Promise<ApiResult<unknown>> {
    const inMaps = { resource: configMaps, namespace }
    switch (action.do) {
      case 'create-account': {
        const account = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: ACCOUNT, namespace } }
        return client.create({ resource: serviceAccounts, namespace }, account, { signal })
      }
      case 'create-root-ca':
        return client.create(inMaps, action.map, { signal })
      case 'update-root-ca':
        return client.update({ ...inMaps, name: ROOT_CA }, action.map, { signal })
    }
  }
}

/** Fills Secrets that ask for a token of a ServiceAccount, and removes them with it. */
export function tokenSecrets({ client, informers, rootCa, issueToken }: ClusterPorts): Controller {
  const tokens = informers.own({
    collection: { resource: secrets },
    fieldSelector: `type=${TOKEN_TYPE}`,
    indexes: {
      account: (secret) => [`${secret.metadata.namespace ?? ''}/${accountNamedBy(secret) ?? ''}`],
    },
  })
  const accounts = informers.shared({ collection: { resource: serviceAccounts } })
  return {
    name: 'service-account-token',
    watches: [
      { informer: tokens },
      { informer: accounts, keys: (account) => tokens.cache.by('account', keyOf(account)).map(keyOf) },
    ],
    async reconcile(key, { log, signal }) {
      const secret = tokens.cache.get(key)
      const accountName = secret && accountNamedBy(secret)
      if (!secret || accountName === undefined) return done
      const { namespace = '', name } = partsOf(key)
      // Asked live: a Secret that was made together with its account must not go because a cache is late.
      const account = await client.get({ resource: serviceAccounts, namespace, name: accountName }, { signal })
      if (!account.ok && account.error.reason !== 'NotFound') return retryAfter(account.error)
      const action = planTokenSecret({ secret, account: account.ok ? account.value : undefined, rootCa })
      if (action.do === 'nothing') return done
      log.info('looking after a token', { do: action.do, because: action.because })
      const target = { resource: secrets, namespace, name }
      if (action.do === 'delete') {
        const { uid } = secret.metadata
        const deleted = await client.delete(target, { signal, ...(uid ? { preconditions: { uid } } : {}) })
        return turnAfter(deleted) ?? done
      }
      const uid = account.ok ? (account.value.metadata.uid ?? '') : ''
      return (
        turnAfter(await client.update(target, filled(secret, action, { name: accountName, uid }), { signal })) ?? done
      )
    },
  }

  function filled(
    secret: KubeObject,
    action: Extract<TokenAction, { readonly do: 'fill' }>,
    account: { readonly name: string; readonly uid: string },
  ): KubeObject {
    const { metadata } = secret
    const { namespace = '', name = '', uid = '' } = metadata
    const token = action.needsToken ? issueToken?.({ namespace, account, secret: { name, uid } }) : undefined
    const before = isObject(secret['data']) ? secret['data'] : {}
    return {
      ...secret,
      metadata: { ...metadata, annotations: { ...metadata.annotations, ...action.annotations } },
      data: {
        ...before,
        ...action.data,
        ...(token === undefined ? {} : { token: Buffer.from(token).toString('base64') }),
      },
    }
  }
}

/** What a write leaves to do: nothing when it went well, or when somebody else did the same. */
function turnAfter(outcome: ApiResult<unknown>): Turn | undefined {
  if (outcome.ok || ['AlreadyExists', 'NotFound'].includes(outcome.error.reason)) return undefined
  return retryAfter(outcome.error)
}
