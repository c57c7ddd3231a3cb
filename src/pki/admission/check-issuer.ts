import { type FieldError, forbidden, invalid, required } from '../../kube/schema/field-error.ts'
import { isObject } from '../../lib/json.ts'
import type { IssuerSpec, VaultAuth, VaultIssuer } from '../objects.ts'
import { readCertificates } from '../x509/certificate.ts'

type Ca = NonNullable<IssuerSpec['ca']>

const types = ['acme', 'ca', 'selfSigned', 'vault', 'venafi'] as const

/** What is wrong with the spec of an Issuer or a ClusterIssuer, in the words of cert-manager's webhook. */
export function checkIssuer(spec: IssuerSpec): readonly FieldError[] {
  const [first, ...more] = types.filter((type) => spec[type] !== undefined)
  if (!first) return [required('spec', 'at least one issuer must be configured')]
  return [
    ...contentProblems(spec, first),
    ...more.map((type) => forbidden(`spec.${type}`, 'may not specify more than one issuer type')),
  ]
}

function contentProblems(spec: IssuerSpec, type: (typeof types)[number]): readonly FieldError[] {
  if (type === 'ca') return checkCa(spec.ca ?? {}, 'spec.ca')
  if (type === 'vault') return checkVault(spec.vault ?? {}, 'spec.vault')
  if (type === 'acme') return checkAcme(spec.acme, 'spec.acme')
  return type === 'venafi' ? checkVenafi(spec.venafi, 'spec.venafi') : []
}

const checkCa = (
  { secretName, ocspServers = [], issuingCertificateURLs = [] }: Ca,
  at: string,
): readonly FieldError[] => [
  ...(secretName ? [] : [required(`${at}.secretName`)]),
  ...ocspServers.flatMap((url, index) =>
    url ? [] : [invalid(`${at}.ocspServer[${index}]`, url, 'must be a valid URL, e.g., http://ocsp.example.com')],
  ),
  ...issuingCertificateURLs.flatMap((url, index) =>
    url ? [] : [invalid(`${at}.issuingCertificateURLs[${index}]`, url, 'must be a valid URL')],
  ),
]

const goesUp = (path: string | undefined): boolean => (path ?? '').split('/').includes('..')
const NO_DOTS = "must not contain '..' path segments"
const HIDDEN = '<snip>'

function checkVault(vault: VaultIssuer, at: string): readonly FieldError[] {
  const { caBundle, caBundleSecretRef, clientCertSecretRef, clientKeySecretRef } = vault
  const bundle = caBundle ? readCertificates(Buffer.from(caBundle, 'base64').toString('utf8')) : undefined
  return [
    ...(vault.server ? [] : [required(`${at}.server`)]),
    ...(vault.path ? [] : [required(`${at}.path`)]),
    ...(goesUp(vault.path) ? [invalid(`${at}.path`, vault.path, NO_DOTS)] : []),
    ...(bundle && !bundle.ok
      ? [invalid(`${at}.caBundle`, HIDDEN, `cert bundle didn't contain any valid certificates`)]
      : []),
    ...(caBundle && caBundleSecretRef
      ? [
          invalid(`${at}.caBundle`, HIDDEN, 'specified caBundle and caBundleSecretRef cannot be used together'),
          invalid(
            `${at}.caBundleSecretRef`,
            caBundleSecretRef.name,
            'specified caBundleSecretRef and caBundle cannot be used together',
          ),
        ]
      : []),
    ...(clientCertSecretRef && !clientKeySecretRef
      ? [
          invalid(
            `${at}.clientKeySecretRef`,
            HIDDEN,
            'clientKeySecretRef must be provided when defining the clientCertSecretRef',
          ),
        ]
      : []),
    ...(clientKeySecretRef && !clientCertSecretRef
      ? [
          invalid(
            `${at}.clientCertSecretRef`,
            HIDDEN,
            'clientCertSecretRef must be provided when defining the clientKeySecretRef',
          ),
        ]
      : []),
    ...checkVaultAuth(vault.auth ?? {}, `${at}.auth`),
  ]
}

function checkVaultAuth(auth: VaultAuth, at: string): readonly FieldError[] {
  const { appRole, clientCertificate, kubernetes } = auth
  const isNone = Object.values(auth).every((method) => method === undefined)
  return [
    ...(appRole && !appRole.roleId ? [required(`${at}.appRole.roleId`)] : []),
    ...(appRole && !appRole.secretRef?.name ? [required(`${at}.appRole.secretRef.name`)] : []),
    ...(goesUp(appRole?.path) ? [invalid(`${at}.appRole.path`, appRole?.path, NO_DOTS)] : []),
    ...(goesUp(clientCertificate?.mountPath)
      ? [invalid(`${at}.clientCertificate.path`, clientCertificate?.mountPath, NO_DOTS)]
      : []),
    ...(kubernetes ? checkKubernetesAuth(kubernetes, `${at}.kubernetes`) : []),
    ...(isNone
      ? [required(at, 'please supply one of: appRole, kubernetes, tokenSecretRef, clientCertificate, aws')]
      : []),
  ]
}

function checkKubernetesAuth(
  { role, mountPath, secretRef, serviceAccountRef }: NonNullable<VaultAuth['kubernetes']>,
  at: string,
): readonly FieldError[] {
  const count = (secretRef?.name ? 1 : 0) + (serviceAccountRef ? 1 : 0)
  const one = 'please supply one of: secretRef, serviceAccountRef'
  return [
    ...(role ? [] : [required(`${at}.role`)]),
    ...(goesUp(mountPath) ? [invalid(`${at}.path`, mountPath, NO_DOTS)] : []),
    ...(serviceAccountRef && !serviceAccountRef.name ? [required(`${at}.serviceAccountRef.name`)] : []),
    ...(count === 0 ? [required(at, one)] : []),
    ...(count > 1 ? [forbidden(at, one)] : []),
  ]
}

const fieldOf = (value: unknown, name: string): unknown =>
  isObject(value) && Object.hasOwn(value, name) ? value[name] : undefined

function checkAcme(acme: unknown, at: string): readonly FieldError[] {
  const keyName = fieldOf(fieldOf(acme, 'privateKeySecretRef'), 'name')
  const both = 'caBundle and skipTLSVerify are mutually exclusive and cannot both be set'
  const solvers = fieldOf(acme, 'solvers')
  return [
    ...(fieldOf(acme, 'caBundle') && fieldOf(acme, 'skipTLSVerify') === true
      ? [invalid(`${at}.caBundle`, '', both), invalid(`${at}.skipTLSVerify`, true, both)]
      : []),
    ...(keyName ? [] : [required(`${at}.privateKeySecretRef.name`, 'private key secret name is a required field')]),
    ...(fieldOf(acme, 'server') ? [] : [required(`${at}.server`, 'acme server URL is a required field')]),
    ...(Array.isArray(solvers) ? (solvers as readonly unknown[]) : []).flatMap((solver, index) => {
      const where = `${at}.solvers[${index}]`
      const [http, dns] = [fieldOf(solver, 'http01'), fieldOf(solver, 'dns01')]
      if (http !== undefined && dns !== undefined) {
        return [forbidden(where, 'may not specify more than one solver type in a single solver')]
      }
      return http === undefined && dns === undefined ? [required(where, 'no solver type configured')] : []
    }),
  ]
}

function checkVenafi(venafi: unknown, at: string): readonly FieldError[] {
  const kinds = ['tpp', 'cloud', 'ngts'].filter((kind) => fieldOf(venafi, kind) !== undefined)
  return [
    ...(fieldOf(venafi, 'zone') ? [] : [required(`${at}.zone`)]),
    ...(kinds.length === 0 ? [required(at, 'please supply one of: tpp, cloud, ngts')] : []),
    ...(kinds.length > 1 ? [forbidden(at, 'please supply one of: tpp, cloud, ngts')] : []),
  ]
}
