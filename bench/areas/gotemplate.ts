import { fn, runFn } from '../../src/lang/gotemplate/function.ts'
import { marshalJson } from '../../src/lang/gotemplate/json.ts'
import type { Run } from '../../src/lang/gotemplate/run.ts'
import { sprigFunctions } from '../../src/lang/gotemplate/sprig/sprig.ts'
import { execute, parseTemplates, type TemplateFile } from '../../src/lang/gotemplate/template-set.ts'
import { certificateMaker } from '../../src/lib/certificates.ts'
import { systemClock } from '../../src/lib/clock.ts'
import { seededIds } from '../../src/lib/ids.ts'
import { type Area, perSecond } from '../figure.ts'

/** A chart's usual shape: helpers for names and labels, and a Deployment that includes them. */
const FILES: readonly TemplateFile[] = [
  {
    name: 'chart/templates/_helpers.tpl',
    text: `
{{- define "chart.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
{{- end }}
{{- define "chart.fullname" -}}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 63 | trimSuffix "-" }}
{{- else }}
{{- $name := default .Chart.Name .Values.nameOverride }}
{{- if contains $name .Release.Name }}
{{- .Release.Name | trunc 63 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name $name | trunc 63 | trimSuffix "-" }}
{{- end }}
{{- end }}
{{- end }}
{{- define "chart.selectorLabels" -}}
app.kubernetes.io/name: {{ include "chart.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}
{{- define "chart.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{ include "chart.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}`,
  },
  {
    name: 'chart/templates/deployment.yaml',
    text: `apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ include "chart.fullname" . }}
  labels:
    {{- include "chart.labels" . | nindent 4 }}
spec:
  {{- if not .Values.autoscaling.enabled }}
  replicas: {{ .Values.replicaCount }}
  {{- end }}
  selector:
    matchLabels:
      {{- include "chart.selectorLabels" . | nindent 6 }}
  template:
    metadata:
      {{- with .Values.podAnnotations }}
      annotations:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      labels:
        {{- include "chart.selectorLabels" . | nindent 8 }}
    spec:
      containers:
        - name: {{ .Chart.Name }}
          image: "{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}"
          imagePullPolicy: {{ .Values.image.pullPolicy }}
          env:
            {{- range $name, $value := .Values.env }}
            - name: {{ $name | upper }}
              value: {{ $value | quote }}
            {{- end }}
          ports:
            {{- range .Values.ports }}
            - name: {{ .name }}
              containerPort: {{ .port }}
              protocol: {{ .protocol | default "TCP" }}
            {{- end }}
          resources:
            {{- toYaml .Values.resources | nindent 12 }}
`,
  },
]

const DATA = {
  Chart: { Name: 'web', Version: '1.2.3+build', AppVersion: '4.5.6' },
  Release: { Name: 'prod', Service: 'Helm' },
  Values: {
    replicaCount: 3,
    autoscaling: { enabled: false },
    podAnnotations: { 'prometheus.io/scrape': 'true', checksum: 'abc' },
    image: { repository: 'registry.local/web', tag: '', pullPolicy: 'IfNotPresent' },
    env: { a: 'one', b: 'two', c: 3, d: true, e: 'five' },
    ports: [
      { name: 'http', port: 8080 },
      { name: 'metrics', port: 9090, protocol: 'TCP' },
    ],
    resources: { limits: { cpu: '1', memory: '512Mi' }, requests: { cpu: '100m', memory: '128Mi' } },
  },
}

/** Go templates: a Deployment with the usual helpers. JSON stands for YAML, which is another room's work. */
export const gotemplate: Area = {
  name: 'gotemplate',
  run(report) {
    const table = {
      ...sprigFunctions({ clock: systemClock, ids: seededIds(), certificates: certificateMaker }),
      include: runFn(['string', 'any'], (run: Run, name, data) => run.include(name, data)),
      toYaml: fn(['any'], 'any', (value) => marshalJson(value)),
    }
    const set = parseTemplates(FILES, table)
    if (!set.ok) throw new Error(set.error[0]?.message)
    const render = (): unknown => {
      const result = execute(set.value, 'chart/templates/deployment.yaml', DATA)
      if (!result.ok) throw new Error(result.error[0]?.message)
      return result.value
    }
    report({ name: 'render a Deployment', value: perSecond(render), unit: 'renders/s' })
    let turn = 0
    const fresh = (): unknown => parseTemplates([{ name: `t${turn++}`, text: FILES[1]?.text ?? '' }], table)
    report({ name: 'parse and compile it', value: perSecond(fresh), unit: 'templates/s' })
    return Promise.resolve()
  },
}
