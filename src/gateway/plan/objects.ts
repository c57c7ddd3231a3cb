import type { Condition } from '../../kube/condition.ts'
import type { KubeObject } from '../../kube/object.ts'
import type { LabelSelectorObject } from '../../kube/selector.ts'
import { parseTime } from '../../kube/time.ts'

/** The group of the Gateway API. */
export const GROUP = 'gateway.networking.k8s.io'
/** Gateways of classes with this name are ours. */
export const CONTROLLER = 'idp-blueprint.io/gateway'

/** What is read of objects here. Their definitions have schemas, so that what is there is of its type. */
export interface ObjectRef {
  readonly group?: string
  readonly kind?: string
  readonly name: string
  readonly namespace?: string
}

export interface ParentRef extends ObjectRef {
  readonly sectionName?: string
  readonly port?: number
}

export interface RouteNamespaces {
  readonly from?: string
  readonly selector?: LabelSelectorObject
}

export interface ListenerFields {
  readonly name: string
  readonly hostname?: string
  readonly port: number
  readonly protocol: string
  readonly tls?: {
    readonly mode?: string
    readonly certificateRefs?: readonly ObjectRef[]
  }
  readonly allowedRoutes?: {
    readonly namespaces?: RouteNamespaces
    readonly kinds?: readonly { readonly group?: string; readonly kind: string }[]
  }
}

export interface FrontendValidation {
  readonly caCertificateRefs?: readonly ObjectRef[]
  readonly mode?: string
}

export interface GatewayFields {
  readonly gatewayClassName: string
  readonly listeners?: readonly ListenerFields[]
  readonly addresses?: readonly { readonly type?: string; readonly value?: string }[]
  readonly infrastructure?: { readonly labels?: Readonly<Record<string, string>>; readonly parametersRef?: ObjectRef }
  readonly tls?: {
    readonly backend?: { readonly clientCertificateRef?: ObjectRef }
    readonly frontend?: {
      readonly default?: { readonly validation?: FrontendValidation }
      readonly perPort?: readonly {
        readonly port: number
        readonly tls?: { readonly validation?: FrontendValidation }
      }[]
    }
  }
}

export interface BackendRef extends ObjectRef {
  readonly port?: number
  readonly weight?: number
  readonly filters?: readonly FilterFields[]
}

interface HeaderFields {
  readonly name: string
  readonly value: string
}

interface HeaderModifier {
  readonly set?: readonly HeaderFields[]
  readonly add?: readonly HeaderFields[]
  readonly remove?: readonly string[]
}

export interface PathModifier {
  readonly type: string
  readonly replaceFullPath?: string
  readonly replacePrefixMatch?: string
}

export interface FilterFields {
  readonly type: string
  readonly requestHeaderModifier?: HeaderModifier
  readonly responseHeaderModifier?: HeaderModifier
  readonly requestMirror?: {
    readonly backendRef: BackendRef
    readonly percent?: number
    readonly fraction?: { readonly numerator: number; readonly denominator?: number }
  }
  readonly requestRedirect?: {
    readonly scheme?: string
    readonly hostname?: string
    readonly port?: number
    readonly path?: PathModifier
    readonly statusCode?: number
  }
  readonly urlRewrite?: { readonly hostname?: string; readonly path?: PathModifier }
  readonly cors?: {
    readonly allowOrigins?: readonly string[]
    readonly allowMethods?: readonly string[]
    readonly allowHeaders?: readonly string[]
    readonly exposeHeaders?: readonly string[]
    readonly allowCredentials?: boolean
    readonly maxAge?: number
  }
  readonly extensionRef?: ObjectRef
}

export interface NamedMatch {
  readonly name: string
  readonly value: string
  readonly type?: string
}

export interface MatchFields {
  readonly path?: { readonly type?: string; readonly value?: string }
  readonly headers?: readonly NamedMatch[]
  readonly queryParams?: readonly NamedMatch[]
  /** Of HTTPRoutes a word, of GRPCRoutes a service and its method. */
  readonly method?: string | { readonly type?: string; readonly service?: string; readonly method?: string }
}

export interface RuleFields {
  readonly name?: string
  readonly matches?: readonly MatchFields[]
  readonly filters?: readonly FilterFields[]
  readonly backendRefs?: readonly BackendRef[]
  readonly timeouts?: { readonly request?: string; readonly backendRequest?: string }
  readonly retry?: { readonly codes?: readonly number[]; readonly attempts?: number; readonly backoff?: string }
  readonly sessionPersistence?: unknown
}

export interface RouteFields {
  readonly parentRefs?: readonly ParentRef[]
  readonly hostnames?: readonly string[]
  readonly rules?: readonly RuleFields[]
}

export interface PolicyFields {
  readonly targetRefs?: readonly (ObjectRef & { readonly sectionName?: string })[]
  readonly validation?: {
    readonly caCertificateRefs?: readonly ObjectRef[]
    readonly wellKnownCACertificates?: string
    readonly hostname: string
    readonly subjectAltNames?: readonly { readonly type: string; readonly hostname?: string; readonly uri?: string }[]
  }
}

export interface GrantFields {
  readonly from?: readonly { readonly group: string; readonly kind: string; readonly namespace: string }[]
  readonly to?: readonly { readonly group: string; readonly kind: string; readonly name?: string }[]
}

export interface ServiceFields {
  readonly type?: string
  readonly ports?: readonly {
    readonly name?: string
    readonly port: number
    readonly protocol?: string
    readonly appProtocol?: string
  }[]
}

/** The spec of an object whose schema makes it what the caller says. */
export const specOf = <T>(object: KubeObject): T => (object['spec'] ?? {}) as T // the schema of its definition says so

export const nameOf = ({ metadata }: KubeObject): string => metadata.name ?? ''
export const namespaceOf = ({ metadata }: KubeObject): string => metadata.namespace ?? ''
export const keyOf = (object: KubeObject): string => `${namespaceOf(object)}/${nameOf(object)}`
export const createdMs = ({ metadata }: KubeObject): number => parseTime(metadata.creationTimestamp ?? '') ?? 0

/** The older first, then by namespace and name. */
export function byAge(a: KubeObject, b: KubeObject): number {
  return createdMs(a) - createdMs(b) || (keyOf(a) < keyOf(b) ? -1 : keyOf(a) > keyOf(b) ? 1 : 0)
}

/** What a condition says, before it is known when it began. */
export interface Finding {
  readonly type: string
  readonly status: Condition['status']
  readonly reason: string
  readonly message: string
}

export const isTrueOf = (type: string, reason: string, message: string): Finding => ({
  type,
  status: 'True',
  reason,
  message,
})
export const isFalseOf = (type: string, reason: string, message: string): Finding => ({
  type,
  status: 'False',
  reason,
  message,
})

/** Everything of a cluster that a plan is made from, as it was last seen. */
export interface GatewayView {
  readonly classes: readonly KubeObject[]
  readonly gateways: readonly KubeObject[]
  readonly httpRoutes: readonly KubeObject[]
  readonly grpcRoutes: readonly KubeObject[]
  readonly tlsRoutes: readonly KubeObject[]
  readonly tcpRoutes: readonly KubeObject[]
  readonly udpRoutes: readonly KubeObject[]
  readonly grants: readonly KubeObject[]
  readonly policies: readonly KubeObject[]
  readonly namespace: (name: string) => KubeObject | undefined
  /** By `namespace/name`. */
  readonly service: (key: string) => KubeObject | undefined
  readonly secret: (key: string) => KubeObject | undefined
  readonly configMap: (key: string) => KubeObject | undefined
}
