/** A reason why a case is not run here. */
export class Excuse extends Error {}

/** Something that a case asks for, that could be served, and is not. */
export class Unsupported extends Error {}

/** Calls of the upstream fixture that stand for a part of Argo CD which is not served, or for a program that is not here. */
const CALLS: Readonly<Record<string, string>> = {
  Login: "is about Argo CD's own accounts",
  LoginWithSSO: "is about Argo CD's own accounts",
  WithDirectOIDC: "is about Argo CD's own accounts",
  SetPermissions: "is about Argo CD's own accounts",
  AndCLIOutput: 'compares what the argocd CLI prints',
  Triggers: 'compares what the argocd CLI prints',
  RunningCMPServer: 'needs a config management plugin',
  GPGPublicKeyAdded: 'needs GPG',
  AddSignedFile: 'needs GPG',
  AddSignedTag: 'needs GPG',
  CustomSSHKnownHostsAdded: 'needs an SSH server',
  SSHRepoURLAdded: 'needs an SSH server',
  SubmoduleSSHRepoURLAdded: 'needs an SSH server',
  SubmoduleHTTPSRepoURLAdded: 'needs submodules of another server',
  DrySourcePath: 'needs the source hydrator',
  DrySourceRevision: 'needs the source hydrator',
  PushChartToOCIRegistry: 'needs an OCI registry',
  PushImageToOCIRegistry: 'needs an OCI registry',
  OCIRegistry: 'needs an OCI registry',
  HTTPSCredentialsTLSClientCertAdded: 'needs client certificates',
  HelmHTTPSCredentialsUserPassAdded: "needs charts at a fixed address of upstream's fixture",
  LocalPath: 'renders on the side of the argocd CLI',
}

const REPOSITORY_TYPES: Readonly<Record<string, string>> = {
  ssh: 'needs an SSH server',
  'ssh-par': 'needs an SSH server',
  'ssh-sub': 'needs an SSH server',
  'https-cc': 'needs client certificates',
  'https-par': 'needs submodules of another server',
  oci: 'needs an OCI registry',
  'helm-oci': 'needs an OCI registry',
}

/** Why one call of a case cannot be made here; undefined when it can. */
export function excuseOfCall(call: string, args: readonly unknown[]): string | undefined {
  const [first] = args
  if (call === 'RepoURLType') return REPOSITORY_TYPES[String(first)]
  if (call === 'Project' && first === 'gpg') return 'needs GPG'
  if (call === 'Wait' && args.includes('--hydrated')) return 'needs the source hydrator'
  if (call === 'DeclarativeWithCustomRepo' && String(args[1]).startsWith('https://')) return 'needs the internet'
  // The fixtures of accounts and repositories begin so, those of ApplicationSets bring one along.
  if (call === 'Create' && args.length === 0) return "is about the API of Argo CD's own server"
  const text = JSON.stringify(args)
  if (text.includes('HelmTemplateRuns')) return 'looks for a running helm program'
  if (text.includes('app.Spec.SourceHydrator')) return 'needs the source hydrator'
  if (/\["argocd"/.test(text)) return 'compares what the argocd CLI prints'
  if (/SetResourceOverrides\(\u2026\)|SetEnableManifestGeneration\(\u2026\)/.test(text)) {
    return 'the extract does not hold the settings that it makes'
  }
  if (text.includes('ApplicationsSync": null'.replace(' ', '')))
    return 'the extract does not hold the policy that it sets'
  return CALLS[call]
}
