/** The files of a large chart: templates with helpers, charts below it, and a long values file. */
export function largeChart(templates = 150, charts = 8, valueLines = 1_500): Readonly<Record<string, string>> {
  const files: Record<string, string> = {}
  const perChart = Math.floor(templates / (charts + 1))
  const addChart = (folder: string, name: string, count: number): void => {
    files[`${folder}Chart.yaml`] = `apiVersion: v2\nname: ${name}\nversion: 1.0.0\nappVersion: "2.0"\n`
    files[`${folder}templates/_helpers.tpl`] = helpers(name)
    for (let at = 0; at < count; at++)
      files[`${folder}templates/${kinds[at % kinds.length]!.file}-${at}.yaml`] = kinds[at % kinds.length]!.text(
        name,
        at,
      )
  }
  addChart('', 'large', templates - perChart * charts)
  for (let at = 0; at < charts; at++) {
    addChart(`charts/sub${at}/`, `sub${at}`, perChart)
    files[`charts/sub${at}/values.yaml`] = values(Math.floor(valueLines / 12), at)
  }
  files['values.yaml'] = values(valueLines, 0)
  return files
}

const helpers = (name: string): string => `{{- define "${name}.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
{{- end }}
{{- define "${name}.fullname" -}}
{{- printf "%s-%s" .Release.Name (include "${name}.name" .) | trunc 63 | trimSuffix "-" }}
{{- end }}
{{- define "${name}.labels" -}}
app.kubernetes.io/name: {{ include "${name}.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- if .Chart.AppVersion }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
{{- end }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}
`

const kinds: readonly { readonly file: string; readonly text: (name: string, at: number) => string }[] = [
  {
    file: 'deployment',
    text: (name, at) => `{{- $item := index .Values.items ${at} }}
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ include "${name}.fullname" . }}-${at}
  labels:
    {{- include "${name}.labels" . | nindent 4 }}
spec:
  replicas: {{ $item.replicas }}
  selector:
    matchLabels:
      app: ${name}-${at}
  template:
    metadata:
      annotations:
        checksum/config: {{ toYaml $item | sha256sum }}
      labels:
        app: ${name}-${at}
        {{- include "${name}.labels" . | nindent 8 }}
    spec:
      containers:
      - name: main
        image: "{{ $item.image.repository }}:{{ $item.image.tag | default .Chart.AppVersion }}"
        {{- with $item.resources }}
        resources:
          {{- toYaml . | nindent 10 }}
        {{- end }}
        env:
        {{- range $key, $value := $item.env }}
        - name: {{ $key | upper }}
          value: {{ $value | quote }}
        {{- end }}
`,
  },
  {
    file: 'service',
    text: (name, at) => `apiVersion: v1
kind: Service
metadata:
  name: {{ include "${name}.fullname" . }}-${at}
  labels:
    {{- include "${name}.labels" . | nindent 4 }}
spec:
  ports:
  {{- range $i := until 3 }}
  - name: p{{ $i }}
    port: {{ add 8000 $i }}
  {{- end }}
  selector:
    app: ${name}-${at}
`,
  },
  {
    file: 'config',
    text: (name, at) => `{{- if (index .Values.items ${at}).enabled }}
apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ include "${name}.fullname" . }}-${at}
data:
  all.yaml: |
    {{- toYaml (index .Values.items ${at}) | nindent 4 }}
  tpl: {{ tpl "{{ .Release.Name }}-{{ .Values.items | len }}" . | quote }}
{{- end }}
`,
  },
]

function values(lines: number, seed: number): string {
  const items: string[] = ['nameOverride: ""', 'items:']
  for (let at = 0; items.length < lines; at++) {
    items.push(
      `- enabled: ${at % 4 !== 3}`,
      `  replicas: ${1 + ((at + seed) % 5)}`,
      '  image:',
      `    repository: registry.example.com/team/app-${at}`,
      `    tag: v1.${at}.${seed}`,
      '  resources:',
      '    limits: {cpu: 500m, memory: 256Mi}',
      '    requests:',
      '      cpu: 100m',
      '  env:',
      `    log_level: info`,
      `    url: "https://example.com/${at}?q=a&b=c"`,
    )
  }
  // Every template looks up its own item.
  for (let at = items.filter((line) => line.startsWith('- ')).length; at < 40; at++) {
    items.push(`- {enabled: true, replicas: 1, image: {repository: r, tag: t}, env: {a: b}}`)
  }
  return `${items.join('\n')}\n`
}
