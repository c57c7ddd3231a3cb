import type { AdmissionPlugin } from '../../kube/admission.ts'
import { isObject } from '../../lib/json.ts'
import { isAbout } from './denials.ts'

/** Writes into a CertificateSigningRequest who asks for it, whatever the asker says. */
export const certificateRequester: AdmissionPlugin = {
  name: 'CertificateRequester',
  handles: (request) =>
    (request.operation === 'CREATE' || request.operation === 'UPDATE') &&
    isAbout(request, 'certificatesigningrequests', 'certificates.k8s.io'),
  mutate({ object, oldObject, user }) {
    if (!object) return Promise.resolve({ allowed: true })
    // The request is what was signed for: it stays as it was asked.
    if (oldObject) return Promise.resolve({ allowed: true, object: { ...object, spec: oldObject['spec'] } })
    const {
      username: _name,
      uid: _uid,
      groups: _groups,
      extra: _extra,
      ...spec
    } = isObject(object['spec']) ? object['spec'] : {}
    const asker = {
      username: user.username,
      groups: user.groups,
      ...(user.uid === undefined ? {} : { uid: user.uid }),
      ...(user.extra ? { extra: user.extra } : {}),
    }
    return Promise.resolve({ allowed: true, object: { ...object, spec: { ...spec, ...asker } } })
  },
}
