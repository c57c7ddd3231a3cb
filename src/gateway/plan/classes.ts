import type { KubeObject } from '../../kube/object.ts'
import { CONTROLLER, type Finding, isFalseOf, isTrueOf, type ObjectRef, specOf } from './objects.ts'

/** What of the Gateway API is kept, in the words of its conformance profiles. */
export const supportedFeatures: readonly string[] = [
  'BackendTLSPolicy',
  'BackendTLSPolicySANValidation',
  'GRPCRoute',
  'GRPCRouteNamedRouteRule',
  'GRPCRouteRequestHeaderModifier',
  'Gateway',
  'GatewayAddressEmpty',
  'GatewayBackendClientCertificate',
  'GatewayFrontendClientCertificateValidation',
  'GatewayFrontendClientCertificateValidationInsecureFallback',
  'GatewayHTTPListenerIsolation',
  'GatewayHTTPSListenerDetectMisdirectedRequests',
  'GatewayPort8080',
  'GatewayStaticAddresses',
  'HTTPRoute',
  'HTTPRoute303RedirectStatusCode',
  'HTTPRoute307RedirectStatusCode',
  'HTTPRoute308RedirectStatusCode',
  'HTTPRouteBackendProtocolH2C',
  'HTTPRouteBackendProtocolWebSocket',
  'HTTPRouteBackendRequestHeaderModification',
  'HTTPRouteBackendRequestRedirect',
  'HTTPRouteBackendTimeout',
  'HTTPRouteBackendURLRewrite',
  'HTTPRouteCORS',
  'HTTPRouteDestinationPortMatching',
  'HTTPRouteHostRewrite',
  'HTTPRouteMethodMatching',
  'HTTPRouteNamedRouteRule',
  'HTTPRouteParentRefPort',
  'HTTPRoutePathRedirect',
  'HTTPRoutePathRewrite',
  'HTTPRoutePortRedirect',
  'HTTPRouteQueryParamMatching',
  'HTTPRouteRequestMirror',
  'HTTPRouteRequestMultipleMirrors',
  'HTTPRouteRequestPercentageMirror',
  'HTTPRouteRequestTimeout',
  'HTTPRouteResponseHeaderModification',
  'HTTPRouteRetry',
  'HTTPRouteRetryBackendTimeout',
  'HTTPRouteRetryConnectionError',
  'HTTPRouteSchemeRedirect',
  'ReferenceGrant',
  'TLSRoute',
  'TLSRouteModeMixed',
  'TLSRouteModeTerminate',
]

interface ClassFields {
  readonly controllerName?: string
  readonly parametersRef?: ObjectRef
}

export const isOurs = (gatewayClass: KubeObject): boolean =>
  specOf<ClassFields>(gatewayClass).controllerName === CONTROLLER

/** What is found about a GatewayClass of ours. */
export function classFindings(gatewayClass: KubeObject): readonly Finding[] {
  const { parametersRef } = specOf<ClassFields>(gatewayClass)
  return [
    parametersRef
      ? isFalseOf(
          'Accepted',
          'InvalidParameters',
          `the class takes no parameters, and ${parametersRef.kind ?? ''} ${parametersRef.name} is named`,
        )
      : isTrueOf('Accepted', 'Accepted', 'Gateways of this class are served'),
    isTrueOf(
      'SupportedVersion',
      'SupportedVersion',
      'the definitions of the Gateway API are of a version that is known',
    ),
  ]
}
