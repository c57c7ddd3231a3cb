/** One command of the session and what it must answer. */
export interface Step {
  /** What stands behind `kubectl`, as a shell would split it. */
  readonly run: string
  /** What standard output must match. */
  readonly says?: RegExp
  /** What standard error must match; then the command must fail. */
  readonly fails?: RegExp
  /** What kubectl reads on standard input. */
  readonly input?: string
  /** The oldest kubectl that knows the command, as a minor version. */
  readonly since?: number
  /** An exit code other than 0 that is right: `diff` finds differences. */
  readonly code?: number
}

const deployment = (image: string): string =>
  JSON.stringify({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'web', labels: { app: 'web' } },
    spec: {
      replicas: 2,
      selector: { matchLabels: { app: 'web' } },
      template: {
        metadata: { labels: { app: 'web' } },
        spec: { containers: [{ name: 'main', image, ports: [{ containerPort: 80 }] }] },
      },
    },
  })

const definition = `
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.example.com}
spec:
  group: example.com
  scope: Namespaced
  names: {plural: widgets, kind: Widget, shortNames: [wd], categories: [all]}
  versions:
  - name: v1
    served: true
    storage: true
    subresources: {status: {}, scale: {specReplicasPath: .spec.replicas, statusReplicasPath: .status.replicas}}
    additionalPrinterColumns:
    - {name: Size, type: integer, jsonPath: .spec.size}
    schema:
      openAPIV3Schema:
        type: object
        properties:
          spec:
            type: object
            required: [size]
            properties:
              size: {type: integer, minimum: 1}
              replicas: {type: integer}
              color: {type: string, default: red}
          status: {type: object, x-kubernetes-preserve-unknown-fields: true}
`

const widget = (size: number | string): string => `
apiVersion: example.com/v1
kind: Widget
metadata: {name: one}
spec: {size: ${size}}
`

/** A request of CN=somebody, signed with its own key. */
const certificateRequest =
  'LS0tLS1CRUdJTiBDRVJUSUZJQ0FURSBSRVFVRVNULS0tLS0KTUlITk1IVUNBUUF3RXpFUk1BOEdBMVVFQXd3SWMyOXRaV0p2Wkhrd1dUQVRCZ2NxaGtqT1BRSUJCZ2dxaGtqTwpQUU1CQndOQ0FBU2V2dzBMcVdhSVUvYW56bHB5SWQ0WFh5blZDaVBuVW1pbVo4V216YkRDRUlOQnVZM0JIT2wyCkxoc0Z4ZlJiKzNCODM3bWI4OERJTXJ1MmVYRDF5SU1qb0FBd0NnWUlLb1pJemowRUF3SURTQUF3UlFJaEFMdXQKRjdYR2doMURpbzRMUEdMek5DQjNnTHBsbGt2VWRVRnpWSkNpZDNxWkFpQU5mUlphOXZnZlR4YTlBTjBhMldkUwpLTzlFektGNCtyTjk5NkRiNGFkUXJ3PT0KLS0tLS1FTkQgQ0VSVElGSUNBVEUgUkVRVUVTVC0tLS0tCg=='

/** A working day of somebody with kubectl, without controllers. Steps build on each other. */
export const session: readonly Step[] = [
  { run: 'version', says: /Server Version: .*v1\.\d+/ },
  { run: 'cluster-info', says: /is running at .*https:/ },
  { run: 'api-versions', says: /^apps\/v1$/m },
  { run: 'api-resources --api-group=apps', says: /deployments\s+deploy\s+apps\/v1\s+true\s+Deployment/ },
  { run: 'get namespaces', says: /^default\s+Active\s+\d+s$/m },
  { run: 'get ns default -o jsonpath={.status.phase}', says: /^Active$/ },
  { run: 'create namespace team', says: /namespace\/team created/ },
  { run: 'create namespace team', fails: /AlreadyExists|already exists/ },
  { run: 'create configmap settings --from-literal=mode=fast -n team', says: /configmap\/settings created/ },
  { run: 'get configmap settings -n team -o jsonpath={.data.mode}', says: /^fast$/ },
  { run: 'get cm nothing -n team', fails: /configmaps "nothing" not found/ },
  { run: 'create configmap x --from-literal=a=b -n nowhere', fails: /namespaces "nowhere" not found/ },
  { run: 'create secret generic login --from-literal=password=s3cret -n team', says: /secret\/login created/ },
  { run: 'get secret login -n team -o go-template={{.data.password}}', says: /^czNjcmV0$/ },
  { run: 'create serviceaccount robot', says: /serviceaccount\/robot created/ },
  { run: 'create token robot --duration=1h', says: /^ey[\w-]+\.[\w-]+\.[\w-]+$/m },
  { run: 'create role reader --verb=get,list --resource=configmaps', says: /role.*reader created/ },
  {
    run: 'create rolebinding readers --role=reader --serviceaccount=default:robot',
    says: /rolebinding.*readers created/,
  },
  { run: 'create clusterrole lister --verb=list --resource=nodes', says: /clusterrole.*lister created/ },
  { run: 'auth can-i get configmaps --as=system:serviceaccount:default:robot', says: /^yes$/m },
  { run: 'auth can-i delete configmaps --as=system:serviceaccount:default:robot', says: /^no/m, code: 1 },
  { run: 'get secrets --as=system:serviceaccount:default:robot', fails: /cannot list resource "secrets"/ },
  { run: 'auth whoami', says: /kubernetes-admin/, since: 28 },
  { run: 'create quota small --hard=pods=10,configmaps=20 -n team', says: /resourcequota\/small created/ },
  { run: 'create priorityclass high --value=1000', says: /priorityclass.*high created/ },
  {
    run: 'create poddisruptionbudget web --selector=app=web --min-available=1',
    says: /poddisruptionbudget.*web created/,
  },
  { run: 'create ingress web --rule=example.test/*=web:80', says: /ingress.*web created/ },
  { run: 'apply -f -', input: deployment('nginx:1'), says: /deployment.apps\/web created/ },
  { run: 'apply -f -', input: deployment('nginx:1'), says: /deployment.apps\/web unchanged/ },
  { run: 'diff -f -', input: deployment('nginx:2'), says: /\+.*image: nginx:2/, code: 1 },
  { run: 'apply -f -', input: deployment('nginx:2'), says: /deployment.apps\/web configured/ },
  { run: 'apply --dry-run=server -f -', input: deployment('nginx:3'), says: /configured \(server dry run\)/ },
  { run: 'get deployment web -o wide', says: /web\s+0\/2\s+0\s+0\s+\S+\s+main\s+nginx:2\s+app=web/ },
  { run: 'get deploy web -o jsonpath={.metadata.generation}', says: /^2$/ },
  { run: 'get deploy -o name', says: /^deployment\.apps\/web$/m },
  { run: 'get deploy -o custom-columns=N:.metadata.name,R:.spec.replicas', says: /web\s+2/ },
  { run: 'get deploy web -o yaml --show-managed-fields', says: /manager: kubectl-client-side-apply/ },
  { run: 'explain deployment.spec.strategy.rollingUpdate', says: /maxSurge/ },
  { run: 'explain pods --recursive', says: /imagePullPolicy/ },
  { run: 'describe deployment web', says: /StrategyType:\s+RollingUpdate/ },
  { run: 'patch deploy web -p {"spec":{"replicas":3}}', says: /web patched/ },
  { run: 'patch deploy web --type=json -p [{"op":"replace","path":"/spec/replicas","value":4}]', says: /web patched/ },
  { run: 'patch deploy web --type=json -p [{"op":"test","path":"/spec/replicas","value":9}]', fails: /test/i },
  { run: 'patch deploy web --type=merge -p {"metadata":{"annotations":{"a":"b"}}}', says: /web patched/ },
  { run: 'scale deploy web --replicas=5', says: /web scaled/ },
  { run: 'scale deploy web --replicas=1 --current-replicas=9', fails: /Expected.*replicas to be 9/ },
  { run: 'set image deploy/web main=nginx:4', says: /image updated/ },
  { run: 'set env deploy/web MODE=fast', says: /env updated/ },
  { run: 'set resources deploy/web -c main --limits=cpu=1', says: /resource requirements updated/ },
  { run: 'label deploy web tier=front', says: /labeled/ },
  { run: 'label deploy web tier=back', fails: /already has a value/ },
  { run: 'label deploy web tier=back --overwrite', says: /labeled/ },
  { run: 'annotate deploy web note=hello', says: /annotate/ },
  { run: 'get deploy -l tier=back,app!=other -o name', says: /deployment.apps\/web/ },
  { run: 'get deploy -l tier=front', says: /^$/ },
  { run: 'get deploy --field-selector=metadata.name=web -o name', says: /deployment.apps\/web/ },
  { run: 'get deploy --field-selector=spec.x=1', fails: /field label not supported/ },
  { run: 'expose deploy web --port=80', says: /service\/web exposed/ },
  { run: 'get service kubernetes', says: /kubernetes\s+ClusterIP\s+10\.96\.0\.1\s+<none>\s+443\/TCP/ },
  { run: 'autoscale deploy web --max=3', says: /autoscaled/ },
  { run: 'get hpa', says: /Deployment\/web/ },
  { run: 'rollout restart deploy/web', says: /restarted/ },
  { run: 'rollout history deploy/web', says: /deployment.apps\/web/ },
  { run: 'rollout pause deploy/web', says: /web paused/ },
  { run: 'rollout resume deploy/web', says: /web resumed/ },
  { run: 'apply --server-side -f -', input: deployment('nginx:5'), fails: /conflict/i },
  { run: 'apply --server-side --force-conflicts -f -', input: deployment('nginx:5'), says: /serverside-applied/ },
  { run: 'get deploy web -o jsonpath={.spec.template.spec.containers[0].image}', says: /^nginx:5$/ },
  { run: 'replace -f -', input: deployment('nginx:6'), says: /web replaced/ },
  { run: 'create job once --image=busybox -- echo hi', says: /job.batch\/once created/ },
  { run: 'create cronjob often --image=busybox --schedule=@hourly -- date', says: /cronjob.batch\/often created/ },
  { run: 'apply -f -', input: definition, says: /customresourcedefinition.*widgets\.example\.com created/ },
  { run: 'wait --for=condition=Established crd/widgets.example.com --timeout=10s', says: /condition met/ },
  { run: 'apply -f -', input: widget(3), says: /widget.example.com\/one created/ },
  { run: 'apply -f -', input: widget(0), fails: /spec\.size/ },
  { run: 'apply -f -', input: `${widget(3)}  #\n`, says: /one unchanged/ },
  { run: 'get widgets', says: /NAME\s+SIZE\none\s+3/ },
  { run: 'get wd one -o jsonpath={.spec.color}', says: /^red$/ },
  { run: 'scale widget one --replicas=2', says: /one scaled/ },
  { run: 'explain widget.spec', says: /size/ },
  { run: 'patch widget one --subresource=status --type=merge -p {"status":{"replicas":2}}', says: /patched/ },
  { run: 'get all', says: /widget.example.com\/one/ },
  { run: 'get events', says: /^$/ },
  {
    run: 'create -f -',
    input: '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"odd"},"dat":{}}',
    fails: /unknown field/,
  },
  {
    run: 'create -f - --validate=warn',
    input: '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"odd"},"dat":{}}',
    says: /odd created/,
  },
  {
    run: 'create -f -',
    input:
      '{"apiVersion":"v1","kind":"Pod","metadata":{"name":"p"},"spec":{"serviceAccountName":"robot","containers":[{"name":"a","image":"b"}]}}',
    says: /pod\/p created/,
  },
  { run: 'get pod p', says: /p\s+0\/1\s+Pending\s+0/ },
  { run: 'logs p', fails: /./ },
  { run: 'delete pod p', says: /pod "p"/ },
  { run: 'delete deploy web --cascade=background', says: /"web" deleted/ },
  { run: 'wait --for=delete deploy/web --timeout=10s' },
  { run: 'delete configmap odd --now', says: /"odd" deleted/ },
  { run: 'delete crd widgets.example.com', says: /deleted/ },
  { run: 'get widgets', fails: /doesn't have a resource type "widgets"|could not find the requested resource/ },
  { run: 'delete ingress,pdb,hpa --all', says: /deleted/ },
  { run: 'apply -k .', says: /configmap\/kustomized-\S+ created/ },
  { run: 'delete -k .', says: /deleted/ },
  { run: 'edit configmap kube-root -n team', fails: /not found/ },
  { run: 'edit configmap settings -n team', says: /configmap\/settings edited/ },
  { run: 'get configmap settings -n team -o jsonpath={.data.mode}', says: /^slow$/ },
  { run: 'get configmaps -n team --watch --request-timeout=1s', says: /^settings\s+1/m, code: 0 },
  { run: 'get configmaps -A --chunk-size=1 -o name', says: /configmap\/settings/ },
  { run: 'get namespaces --sort-by=.metadata.name -o name', says: /^namespace\/default\n/ },
  {
    run: 'create -f -',
    input: `{"apiVersion":"certificates.k8s.io/v1","kind":"CertificateSigningRequest","metadata":{"name":"csr"},"spec":{"request":"${certificateRequest}","signerName":"kubernetes.io/kube-apiserver-client","usages":["client auth"]}}`,
    says: /csr created/,
  },
  { run: 'get csr csr', says: /kubernetes-admin\s+\S*\s*Pending/ },
  { run: 'certificate approve csr', says: /csr approved/ },
  { run: 'get csr csr', says: /Approved/ },
  { run: 'create namespace going', says: /created/ },
  { run: 'delete namespace going --wait=false', says: /deleted/ },
  { run: 'get ns going', says: /Terminating/ },
  { run: 'create configmap late --from-literal=a=b -n going', fails: /being terminated/ },
  { run: 'top nodes', fails: /Metrics API not available|not available/ },
  { run: 'get --raw /readyz', says: /^ok$/ },
  { run: 'get --raw /healthz?verbose', says: /\[\+\]ping ok/ },
  { run: 'get --raw /nothing', fails: /could not find the requested resource/ },
]
