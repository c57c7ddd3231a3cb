/** One chart with the arguments it is rendered with. Paths are relative to the chart's parent folder. */
export interface HelmCase {
  readonly name: string
  readonly files: Readonly<Record<string, string>>
  readonly args?: readonly string[]
  /** Only this much of an error message is compared: the rest is the words of a foreign YAML or JSON reader. */
  readonly errorUpTo?: RegExp
}

interface Parts {
  readonly chart?: string
  readonly values?: string
  readonly args?: readonly string[]
  readonly more?: Readonly<Record<string, string>>
  readonly errorUpTo?: RegExp
}

const head = 'apiVersion: v2\nname: c\nversion: 0.1.0\n'
const below = (files: Readonly<Record<string, string>>, folder: string): Record<string, string> =>
  Object.fromEntries(Object.entries(files).map(([path, text]) => [`${folder}/${path}`, text]))

/** A case of one template. */
function template(
  name: string,
  text: string,
  { chart = '', values = '', args, more = {}, errorUpTo }: Parts = {},
): HelmCase {
  const files = { 'Chart.yaml': head + chart, 'values.yaml': values, 'templates/t.yaml': text, ...more }
  return { name, files: below(files, 'c'), ...(args ? { args } : {}), ...(errorUpTo ? { errorUpTo } : {}) }
}

const show = 'v: |\n  {{- toYaml .Values | nindent 2 }}\n'
const object = (kind: string, name: string): string => `apiVersion: v1\nkind: ${kind}\nmetadata:\n  name: ${name}\n`
const hook = (kind: string, name: string, events: string): string =>
  `${object(kind, name)}  annotations:\n    "helm.sh/hook": ${events}\n`
const sub = (name: string, parts: Readonly<Record<string, string>>, head = ''): Record<string, string> =>
  below({ 'Chart.yaml': `apiVersion: v2\nname: ${name}\nversion: 1.2.3\n${head}`, ...parts }, `charts/${name}`)

const values: readonly HelmCase[] = [
  template('values: scalars of every kind', show, {
    values:
      'a: 1\nb: 1.0\nc: 1e6\nd: yes\ne: ~\nf: 0o17\ng: 017\nh: "x"\ni: 2001-12-14\nj: 12:30\nk: 1_000\nl: .5\nm: -0\nn: 0x1F\n',
  }),
  template(
    'values: numbers print as floats',
    '{{ range $k, $v := .Values }}\n{{ $k }}: {{ $v }} {{ printf "%v %T" $v $v | quote }}\n{{- end }}',
    {
      values:
        'a: 1000000\nb: 123456789\nc: 1.5\nd: 99999\ne: 0.00001\nf: 9007199254740993\ng: 100000000000000000000000\n',
    },
  ),
  template('values: anchors and merges', show, {
    values: 'base: &b {x: 1, y: {z: 2}}\na:\n  <<: *b\n  x: 3\nl: [*b, *b]\nm:\n  <<: [{q: 1}, *b]\n',
  }),
  template('values: duplicate keys', show, { values: 'a: 1\nb: 2\na: 3\n' }),
  template('values: block scalars', show, {
    values:
      "a: |\n  x\n   y\n\nb: >-\n  folded\n  text\n\n  more\nc: |+\n  keep\n\nd: \"esc \\t \\u00e9 \\x41\"\ne: 'it''s'\n",
  }),
  template('values: null takes a default away', show, {
    values: 'a: 1\nt: {x: 1, y: 2}\n',
    args: ['--set', 'a=null,t.x=null'],
  }),
  template('values: null in a file', show, {
    values: 'a: {b: {c: 1}}\nn: null\nt: {n: null}\n',
    args: ['-f', 'over.yaml'],
    more: { '../over.yaml': 'a: {b: null}\nn: null\nt: {n: null, m: null}\nx: null\n' },
  }),
  template('values: files in order', show, {
    values: 'a: 1\nt: {x: 1}\nl: [1, 2]\n',
    args: ['-f', 'one.yaml,two.yaml', '--values', 'three.yaml'],
    more: { '../one.yaml': 'a: 2\nt: {y: 1}\n', '../two.yaml': 't: {x: 5}\nl: [3]\n', '../three.yaml': 'a: 4\n' },
  }),
  template('values: a file of several documents', show, {
    args: ['-f', 'many.yaml'],
    more: { '../many.yaml': 'a: 1\nt: {x: 1}\n---\nb: 2\nt: {y: 2}\n' },
  }),
  template('values: an empty file', show, { args: ['-f', 'empty.yaml'], more: { '../empty.yaml': '# nothing\n' } }),
  template('values: a file that is a list', show, {
    args: ['-f', 'l.yaml'],
    more: { '../l.yaml': '- a\n' },
    errorUpTo: /failed to parse l.yaml: /,
  }),
  template('values: a file that is no YAML', show, {
    args: ['-f', 'b.yaml'],
    more: { '../b.yaml': 'a: [\n' },
    errorUpTo: /failed to parse b.yaml: /,
  }),
  template('values: a file that is not there', show, { args: ['-f', 'none.yaml'] }),
  template('values: a scalar over a table', show, { values: 'a: {b: 1}\n', args: ['--set', 'a=x'] }),
  template('values: a table over a scalar', show, { values: 'a: 1\n', args: ['--set', 'a.b=x'] }),
  template('set: types', show, {
    args: ['--set', 'i=1,n=-5,z=0,lead=007,f=1.5,t=TRUE,n2=null,e=,big=9223372036854775808'],
  }),
  template('set: integers stay integers', 'a: {{ .Values.i }} {{ printf "%T" .Values.i }} {{ add .Values.i 1 }}\n', {
    args: ['--set', 'i=1000000'],
  }),
  template('set: lists and indexes', show, { args: ['--set', 'a={x,y,1},b[2]=z,c[0].d=1,c[0].e=2,f[1][0]=q'] }),
  template('set: over a list of the chart', show, {
    values: 'a: [{n: x, v: 1}, {n: y}]\n',
    args: ['--set', 'a[0].v=2,a[2].n=z'],
  }),
  template('set: escapes', show, { args: ['--set', 'a\\.b=1,c=x\\,y,d=\\{z\\}', '--set', 'e\\[0\\]=1'] }),
  template('set: strings', show, { args: ['--set-string', 'a=1,b=true,c={1,2},d=null'] }),
  template('set: JSON', show, {
    args: ['--set-json', 'a={"x":[1,2.5,null]},b="s",c=12,d=', '--set-json', 'l[1]={"y":true}'],
  }),
  template('set: a JSON object', show, { values: 'a: {x: 1}\n', args: ['--set-json', '{"a":{"y":2},"b":1}'] }),
  template('set: a file', show, { args: ['--set-file', 'a=f.txt'], more: { '../f.txt': 'line one\nline two\n' } }),
  template('set: literal', show, { args: ['--set-literal', 'a.b=x,y={z}\\n'] }),
  template('set: order', show, { args: ['--set', 'a=1', '--set-string', 'a=2', '--set', 'a=3', '--set-json', 'a=4'] }),
  template('set: no value', show, { args: ['--set', 'a'] }),
  template('set: a negative index', show, { args: ['--set', 'a[-1]=x'] }),
  template('set: an open list', show, { args: ['--set', 'a={x'] }),
  template('set: a key below a scalar', show, {
    args: ['--set', 'a=1', '--set', 'a.b=2'],
    errorUpTo: /failed parsing --set data: unable to parse key: /,
  }),
]

const objects: readonly HelmCase[] = [
  template('objects: release', 'r: |\n  {{- toYaml .Release | nindent 2 }}\n', {
    args: ['--namespace', 'ns', '--is-upgrade'],
  }),
  template('objects: a release name template', 'r: {{ .Release.Name }}\n', {
    args: ['--name-template', 'a-{{ "B" | lower }}'],
  }),
  template('objects: an invalid release name', 'r: {{ .Release.Name }}\n', { args: ['--name-template', 'Not_Valid'] }),
  template(
    'objects: chart',
    'n: {{ .Chart.Name }} {{ .Chart.Version }} {{ .Chart.AppVersion }} {{ .Chart.Type }} {{ .Chart.IsRoot }}\nm: {{ (index .Chart.Maintainers 0).Name }}\nk: {{ join "," .Chart.Keywords }}\na: {{ index .Chart.Annotations "a/b" }}\n',
    {
      chart:
        'appVersion: 1.10\ntype: application\nkeywords: [x, y]\nmaintainers:\n- {name: "me", email: m@e}\nannotations: {a/b: "1"}\nhome: https://h\nsources: [https://s]\nicon: i\n',
    },
  ),
  template('objects: chart as YAML', 'c: |\n  {{- toYaml .Chart | nindent 2 }}\nj: {{ toJson .Chart | quote }}\n', {
    chart: 'description: "a  <b>"\nappVersion: "2"\nmaintainers: [{name: x}]\ndependencies: []\n',
  }),
  template('objects: a field that a chart does not have', 'a: {{ .Chart.Nope }}\n'),
  template(
    'objects: capabilities',
    'k: {{ .Capabilities.KubeVersion }} {{ .Capabilities.KubeVersion.Major }}.{{ .Capabilities.KubeVersion.Minor }} {{ .Capabilities.KubeVersion.GitVersion }}\nh: {{ .Capabilities.HelmVersion.Version }} {{ .Capabilities.HelmVersion.GoVersion }}\na: {{ .Capabilities.APIVersions.Has "apps/v1" }} {{ .Capabilities.APIVersions.Has "apps/v9" }} {{ .Capabilities.APIVersions.Has "x.io/v1/Thing" }}\nn: {{ len .Capabilities.APIVersions }}\n',
    { args: ['-a', 'x.io/v1/Thing,y.io/v1', '--api-versions', 'apps/v9'] },
  ),
  template(
    'objects: a cluster version',
    'k: {{ .Capabilities.KubeVersion }} {{ .Capabilities.KubeVersion.Version }} {{ .Capabilities.KubeVersion.Minor }}\ns: {{ semverCompare ">=1.28-0" .Capabilities.KubeVersion.Version }}\n',
    { args: ['--kube-version', '1.29.3-gke.100'] },
  ),
  template('objects: a bad cluster version', 'a: 1\n', { args: ['--kube-version', 'one'] }),
  template('objects: a chart for other clusters', 'a: 1\n', { chart: 'kubeVersion: "<1.20.0"\n' }),
  template('objects: a chart for this cluster', 'a: 1\n', { chart: 'kubeVersion: ">=1.20.0-0 <2"\n' }),
  template(
    'objects: template',
    't: {{ .Template.Name }} {{ .Template.BasePath }}\ni: {{ include (print .Template.BasePath "/u.yaml") . | quote }}\n',
    { more: { 'templates/u.yaml': 'u: {{ .Template.Name }}\n' } },
  ),
  template(
    'objects: files',
    'get: {{ .Files.Get "conf/a.txt" | quote }}\nnone: {{ .Files.Get "none" | quote }}\nbytes: {{ .Files.GetBytes "conf/a.txt" }}\nlines:\n{{- range .Files.Lines "conf/a.txt" }}\n- {{ . | quote }}\n{{- end }}\nall:\n{{- range $p, $c := .Files }}\n- {{ $p }} {{ len $c }}\n{{- end }}\n',
    {
      more: { 'conf/a.txt': 'one\ntwo: {{ x }}\n', 'conf/sub/b.yaml': 'b: 1\n', 'README.md': '# hi\n' },
    },
  ),
  template(
    'objects: files as maps',
    'c: |\n  {{- (.Files.Glob "conf/*").AsConfig | nindent 2 }}\nd: |\n  {{- (.Files.Glob "conf/**").AsConfig | nindent 2 }}\ns: |\n  {{- (.Files.Glob "**.{txt,yaml}").AsSecrets | nindent 2 }}\nn: |\n  {{- (.Files.Glob "none/*").AsConfig | nindent 2 }}\nr:\n{{- range $p, $_ := .Files.Glob "conf/[ab].*" }}\n- {{ $p }}\n{{- end }}\n',
    {
      more: { 'conf/a.txt': 'multi\nline\n', 'conf/b.txt': 'no end', 'conf/sub/c.yaml': 'c: yes\n', 'conf/d.bin': 'x' },
    },
  ),
  template(
    'objects: subcharts',
    'v: {{ .Subcharts.s.Chart.Version }} {{ .Subcharts.s.Values.x }} {{ .Subcharts.s.Release.Name }}\n',
    { more: sub('s', { 'values.yaml': 'x: 1\n' }) },
  ),
  template(
    'objects: lookup finds nothing',
    'l: {{ lookup "v1" "Secret" "ns" "n" | toJson }}\nm: {{ (lookup "v1" "Secret" "ns" "").items | toJson }}\n',
  ),
  template(
    'objects: ignored files',
    '{{- range $p, $_ := .Files }}\n- {{ $p }}\n{{- end }}\nx: 1\n'.replace('{{- range', 'f:\n{{- range'),
    {
      more: {
        '.helmignore': '# comment\n*.bak\n/root.txt\ndir/\nsub/x.*\n',
        'a.bak': '',
        'root.txt': '',
        'sub/root.txt': '',
        'dir/a': '',
        'sub/x.y': '',
        'sub/z.y': '',
        'templates/.hidden.yaml': 'bad: {{ nope }}\n',
        'templates/t.yaml.bak': '{{ nope }}',
      },
    },
  ),
]

const dependencies: readonly HelmCase[] = [
  template('dependencies: a folder', show, {
    chart: 'dependencies:\n- {name: s, version: 1.x, repository: ""}\n',
    values: 's: {x: 2}\nglobal: {g: 1}\n',
    more: sub('s', {
      'values.yaml': 'x: 1\ny: 1\n',
      'templates/s.yaml': `s: {{ .Values | toJson }}\nt: {{ .Chart.Name }} {{ .Chart.IsRoot }}\n`,
    }),
  }),
  template('dependencies: not listed', show, {
    more: sub('s', { 'templates/s.yaml': 's: {{ .Values.global | toJson }}\n' }),
  }),
  template('dependencies: missing', show, { chart: 'dependencies:\n- {name: gone, version: 1.x, repository: ""}\n' }),
  template('dependencies: a version that does not fit', show, {
    chart: 'dependencies:\n- {name: s, version: 2.x, repository: ""}\n',
    more: sub('s', { 'templates/s.yaml': 's: 1\n' }),
  }),
  template('dependencies: conditions', show, {
    chart:
      'dependencies:\n- {name: s, version: ">0", repository: "", condition: "s.enabled,other.on"}\n- {name: t, version: ">0", repository: "", condition: "t.enabled,other.on"}\n',
    values: 's: {enabled: false}\nother: {on: true}\n',
    more: {
      ...sub('s', { 'templates/s.yaml': 's: 1\n' }),
      ...sub('t', { 'templates/t.yaml': 't: 1\n', 'values.yaml': 'q: 1\n' }),
    },
  }),
  template('dependencies: tags', show, {
    chart:
      'dependencies:\n- {name: s, version: ">0", repository: "", tags: [a, b]}\n- {name: t, version: ">0", repository: "", tags: [b]}\n- {name: u, version: ">0", repository: "", tags: [b], condition: u.enabled}\n',
    values: 'tags: {a: true, b: false}\nu: {enabled: true}\n',
    more: {
      ...sub('s', { 'templates/s.yaml': 's: 1\n' }),
      ...sub('t', { 'templates/t.yaml': 't: 1\n' }),
      ...sub('u', { 'templates/u.yaml': 'u: 1\n' }),
    },
  }),
  template('dependencies: aliases', show, {
    chart:
      'dependencies:\n- {name: s, version: ">0", repository: "", alias: one}\n- {name: s, version: ">0", repository: "", alias: two}\n- {name: s, version: ">0", repository: ""}\n',
    values: 'one: {x: 1}\ntwo: {x: 2}\n',
    more: sub('s', {
      'values.yaml': 'x: 0\n',
      'templates/s.yaml': 's: {{ .Values.x }} {{ .Chart.Name }} {{ .Template.Name }}\n',
    }),
  }),
  template('dependencies: charts below an alias', show, {
    chart: 'dependencies:\n- {name: s, version: ">0", repository: "", alias: one}\n',
    values: 'one: {u: {x: 5}}\n',
    more: {
      ...sub('s', { 'values.yaml': 'u: {x: 1}\n' }),
      ...below(
        {
          'Chart.yaml': 'apiVersion: v2\nname: u\nversion: 1.0.0\n',
          'templates/u.yaml': 'u: {{ .Values.x }} {{ .Template.BasePath }}\n',
        },
        'charts/s/charts/u',
      ),
    },
  }),
  template('dependencies: import-values', show, {
    chart:
      'dependencies:\n- name: s\n  version: ">0"\n  repository: ""\n  import-values:\n  - data\n  - {child: deep.part, parent: here.there}\n  - {child: deep, parent: .}\n',
    values: 'k: parent\nhere: {there: {b: parent}}\n',
    more: sub('s', { 'values.yaml': 'exports: {data: {k: child, only: 1}}\ndeep: {part: {a: 1, b: 2}, n: null}\n' }),
  }),
  template('dependencies: globals', show, {
    values: 'global: {a: top, t: {x: 1}}\ns: {global: {t: {y: 2}, own: 1}}\n',
    args: ['--set', 'global.b=given,s.global.c=3'],
    more: {
      ...sub('s', {
        'values.yaml': 'global: {a: sub, z: 9, t: {x: 0, w: 0}}\n',
        'templates/s.yaml': 's: {{ .Values.global | toJson }}\n',
      }),
    },
  }),
  template('dependencies: nulls reach below', show, {
    values: 's: {x: null, t: {a: null}}\n',
    more: sub('s', {
      'values.yaml': 'x: 1\ny: 2\nt: {a: 1, b: 2}\n',
      'templates/s.yaml': 's: {{ .Values | toJson }}\n',
    }),
  }),
  template('dependencies: a library', '{{ include "lib.name" . }}: {{ include "lib.v" . }}\n', {
    more: sub(
      'l',
      {
        'templates/_l.tpl': '{{ define "lib.name" }}n{{ end }}{{ define "lib.v" }}{{ .Chart.Name }}{{ end }}',
        'templates/never.yaml': 'bad: {{ fail "never" }}\n',
      },
      'type: library\n',
    ),
  }),
  template('dependencies: a library alone', 'a: 1\n', { chart: 'type: library\n' }),
  template("dependencies: the parent's definition wins", 'p: {{ include "n" . }}\n', {
    more: {
      'templates/_p.tpl': '{{ define "n" }}parent{{ end }}',
      ...sub('s', {
        'templates/_s.tpl': '{{ define "n" }}child{{ end }}',
        'templates/s.yaml': 's: {{ include "n" . }}\n',
      }),
    },
  }),
  template('dependencies: requirements.yaml', show, {
    more: {
      'Chart.yaml': 'name: c\nversion: 0.1.0\n',
      'requirements.yaml': 'dependencies:\n- {name: s, version: ">0", repository: "", alias: z}\n',
      ...sub('s', { 'templates/s.yaml': 's: {{ .Chart.Name }} {{ .Chart.APIVersion }}\n' }),
    },
  }),
  template('dependencies: a value where a chart belongs', show, { values: 's: text\n', more: sub('s', {}) }),
  template('dependencies: folders that are passed over', show, {
    more: { 'charts/_x/Chart.yaml': 'bad', 'charts/.y/Chart.yaml': 'bad', 'charts/README.md': 'x' },
    errorUpTo: /error unpacking/,
  }),
]

const output: readonly HelmCase[] = [
  template(
    'output: kinds in install order',
    [
      'Deployment',
      'Service',
      'Zoo',
      'ConfigMap',
      'Ingress',
      'Ark',
      'Namespace',
      'Secret',
      'CustomResourceDefinition',
      'Job',
      'ServiceAccount',
    ]
      .map((kind) => object(kind, 'n'))
      .join('---\n'),
  ),
  template(
    'output: webhook configurations and kinds nobody knows',
    ['ValidatingWebhookConfiguration', 'Zoo', 'MutatingWebhookConfiguration', 'APIService', 'Ark', 'Nothing']
      .map((kind) => object(kind, 'n'))
      .join('---\n') + '---\n# no kind\n',
  ),
  template('output: files by path', object('ConfigMap', 'a'), {
    more: {
      'templates/z.yaml': object('ConfigMap', 'z'),
      'templates/A.yaml': object('ConfigMap', 'A'),
      'templates/sub/b.yaml': object('ConfigMap', 'b'),
      'templates/é.yaml': object('ConfigMap', 'e'),
    },
  }),
  template('output: empty documents', '---\n---\n\n---\n# only a comment\n---\na: 1\n---\n   \n'),
  template('output: a file of white space', '{{ if false }}x{{ end }}\n\n'),
  template('output: nothing at all', '{{- /* nothing */ -}}'),
  template('output: separators', 'a: 1\n--- # comment\nb: 2\n---   \nc: |\n  x\n  ---\n  y\n---\nd: "---"\n'),
  template('output: trailing space stays inside', 'a: 1   \nb: "x  "\n\n\n'),
  template('output: line ends of DOS', 'a: 1\r\n---\r\nb: {{ "x" }}\r\n'),
  template(
    'output: hooks',
    `${hook('Job', 'j', 'pre-install')}---\n${hook('Pod', 't', 'test')}---\n${object('Service', 's')}---\n${hook('ConfigMap', 'h', 'post-install,post-upgrade')}---\n${hook('Pod', 'o', 'test-success')}`,
  ),
  template('output: no hooks', `${hook('Job', 'j', 'pre-install')}---\n${object('Service', 's')}`, {
    args: ['--no-hooks'],
  }),
  template(
    'output: no tests',
    `${hook('Pod', 't', 'test')}---\n${hook('Job', 'j', 'pre-install')}---\n${object('Service', 's')}`,
    { args: ['--skip-tests'] },
  ),
  template('output: an unknown hook', `${hook('Job', 'j', 'whenever')}---\n${object('Service', 's')}`),
  template('output: crds', object('Service', 's'), {
    more: {
      'crds/b.yaml': `${object('CustomResourceDefinition', 'b')}\n\n`,
      'crds/a.yml': '---\na: 1',
      'crds/sub/c.json': '{"c": 1}',
      'crds/README.md': 'x',
      ...sub('s', { 'crds/d.yaml': 'd: {{ not a template }}\n' }),
    },
    args: ['--include-crds'],
  }),
  template('output: crds are left out', object('Service', 's'), { more: { 'crds/b.yaml': 'b: 1\n' } }),
  template('output: one template', object('Service', 's'), {
    more: {
      'templates/u.yaml': `${object('Secret', 'x')}---\n${object('Secret', 'y')}`,
      ...sub('s', { 'templates/s.yaml': 's: 1\n' }),
    },
    args: ['-s', 'templates/u.yaml', '--show-only', 'charts/s/templates/s.yaml'],
  }),
  template('output: templates by a glob', object('Service', 's'), {
    more: { 'templates/a/u.yaml': 'u: 1\n', 'templates/a/v.yaml': 'v: 1\n' },
    args: ['-s', 'templates/a/*.yaml'],
  }),
  template('output: a template that is not there', 'a: 1\n', { args: ['-s', 'templates/none.yaml'] }),
  template('output: notes', 'a: 1\n', {
    more: { 'templates/NOTES.txt': 'hello {{ .Release.Name }}\n', ...sub('s', { 'templates/NOTES.txt': 'x\n' }) },
  }),
  template('output: a document without a kind', 'just: data\n---\nkind: Service\nx: 1\n'),
  template('output: a list for a document', '- a\n', { errorUpTo: /YAML parse error on c\/templates\/t.yaml: / }),
  template('output: what is no YAML', 'a: {{ "x: y: z" }}\n', {
    errorUpTo: /YAML parse error on c\/templates\/t.yaml: error converting YAML to JSON/,
  }),
  template('output: a deprecated chart', 'a: 1\n', { chart: 'deprecated: true\n' }),
  template('output: a file that is no YAML by name', 'a: 1\n', {
    more: { 'templates/x.txt': 'x: {{ .Release.Name }}\n', 'templates/y.tpl': 'y: 1\n', 'templates/_z.yaml': 'z: 1\n' },
  }),
]

const functions: readonly HelmCase[] = [
  template(
    'functions: include and indent',
    '{{ define "x" }}a: 1\nb: {{ . }}{{ end }}m:\n  {{- include "x" "q" | nindent 2 }}\n{{ template "x" 5 }}\n',
  ),
  template(
    'functions: tpl',
    'a: {{ tpl .Values.t . }}\nb: {{ tpl "{{ define \\"in\\" }}[{{ . }}]{{ end }}{{ include \\"in\\" 1 }}" . }}\nc: {{ tpl "{{ include \\"out\\" . }} {{ .Template.Name }}" . }}\n{{ define "out" }}out{{ end }}',
    { values: 't: "{{ .Values.u }}-{{ .Release.Name }}"\nu: x\n' },
  ),
  template('functions: tpl of nothing', 'a: {{ tpl "b{{ tpl .Values.none . }}c" . }}\nd: "{{ tpl "" . }}"\n', {
    values: 'none: ""\n',
  }),
  template('functions: tpl fails', 'a: {{ tpl "{{ .a.b.c }}" (dict "a" 1) }}\n'),
  template('functions: tpl does not parse', 'a: {{ tpl "{{ nope }}" . }}\n'),
  template('functions: required', 'a: {{ required "need x" .Values.x }}\nb: {{ required "need y" .Values.y }}\n', {
    values: 'x: 0\n',
  }),
  template('functions: required of nothing', 'a: {{ required "" .Values.x }}\n', { values: 'x: ""\n' }),
  template('functions: fail', '{{- if not .Values.ok }}\n{{ fail (printf "bad %s" .Release.Name) }}\n{{- end }}\n'),
  template(
    'functions: YAML there and back',
    'a: {{ fromYaml "x: [1, {y: z}]\\nn: null\\nyes: no" | toJson }}\nb: {{ (fromYaml "- 1").Error | quote }}\nc: {{ fromYamlArray "[1, a]" | toJson }}\nc2: {{ index (fromYamlArray "a: 1") 0 | quote }}\nd: {{ print (toYaml (list 1 "a" nil)) (toYaml "x") (toYaml nil) | quote }}\n',
  ),
  template(
    'functions: JSON there and back',
    'a: {{ fromJson "{\\"x\\": [1, 2.5, true, null]}" | toJson }}\nb: {{ toJson (dict "b" 1 "a" "<&>" "c" (list)) }}\nc: {{ fromJsonArray "[1]" | toJson }}\nd: {{ (fromJson "[1]").Error | quote }}\ne: {{ toPrettyJson (dict "a" 1) | nindent 2 }}\nf: {{ (fromJson "{x").Error | quote }}\n',
  ),
  template(
    'functions: TOML',
    'a: |\n  {{- toToml .Values | nindent 2 }}\nb: {{ fromToml "x = 1\\n[t]\\ny = [1, 2]\\nz = 1.5" | toJson }}\nc: {{ printf "%T" (fromToml "x = 1").x }}\n',
    { values: 'a: x\nb: {c: 1.5, d: [q]}\ne: [{f: 1}, {f: 2}]\ng: true\n' },
  ),
  template('functions: pretty YAML', 'a: |\n  {{- toYamlPretty .Values | nindent 2 }}\n', {
    values: 'a: [1, {b: [c]}]\nd: {e: []}\n',
  }),
  template('functions: must', 'a: {{ mustToJson (dict "a" 1) }}\nb: {{ mustFromJson "{\\"a\\": 1}" | toJson }}\n'),
  template('functions: mustToYaml', 'a: {{ mustToYaml (list "a" 1) | quote }}\n'),
  template('functions: no environment', 'a: {{ env "HOME" }}\n'),
  template('functions: no names are resolved', 'a: {{ getHostByName "localhost" | quote }}\n'),
  template(
    'functions: sprig of every shelf',
    `a: |
  {{ list 3 1 2 | sortAlpha | join "," }} {{ "x y" | camelcase }} {{ "abc" | trunc 2 }} {{ "a,b" | splitList "," }}
b: |
  {{ dict "a" 1 "b" (dict "c" 2) | toJson }} {{ merge (dict "a" 1) (dict "a" 2 "b" 3) | toJson }} {{ dig "a" "b" "no" (dict "a" (dict "b" "yes")) }}
c: |
  {{ sha256sum "x" }} {{ b64enc "x" }} {{ "dGVzdA==" | b64dec }} {{ adler32sum "x" }}
d: |
  {{ add 1 2 }} {{ div 7 2 }} {{ mod 7 3 }} {{ max 1 5 3 }} {{ round 3.14159 2 }} {{ ceil 1.1 }} {{ int "7" }} {{ float64 "1.5" }} {{ until 3 }}
e: |
  {{ default "d" "" }} {{ coalesce "" "x" }} {{ ternary 1 2 true }} {{ empty 0 }} {{ hasKey (dict "a" 1) "a" }} {{ kindOf 1.5 }}
f: |
  {{ regexReplaceAll "a(.)" "abac" "<$1>" }} {{ regexMatch "^a" "abc" }} {{ regexFindAll "a." "abacad" -1 }}
g: |
  {{ semverCompare "^1.2.0" "1.3.0" }} {{ (semver "1.2.3").Minor }} {{ base "a/b.c" }} {{ ext "a/b.c" }}
h: |
  {{ "a" | quote }} {{ squote "b" }} {{ cat 1 "x" }} {{ "  x " | trim }} {{ title "abc def" }} {{ snakecase "FooBar" }} {{ kebabcase "FooBar" }} {{ plural "one" "many" 2 }}
i: |
  {{ uniq (list 1 1 2) }} {{ without (list 1 2 3) 2 }} {{ first (list 1 2) }} {{ rest (list 1 2 3) }} {{ chunk 2 (list 1 2 3) }} {{ has 1 (list 1) }}
j: |
  {{ pick (dict "a" 1 "b" 2) "a" }} {{ omit (dict "a" 1 "b" 2) "a" }} {{ keys (dict "z" 1) }} {{ values (dict "z" 1) }} {{ get (dict "a" 1) "a" }} {{ set (dict) "k" "v" }}
`,
  ),
]

const language: readonly HelmCase[] = [
  template(
    'language: range and else',
    '{{ range $i, $e := .Values.l }}\n{{ $i }}{{ $e }}: 1\n{{- else }}\nempty: 1\n{{- end }}\n{{ range .Values.none }}x{{ else }}none: 1{{ end }}\n{{ range $k, $v := .Values.m }}\n{{ $k }}{{ $v }}: {{ $.Release.Name }}\n{{- end }}\n',
    { values: 'l: [a, b]\nm: {z: 1, a: 2}\n' },
  ),
  template(
    'language: with, variables, assignment',
    '{{ $x := 1 }}{{ with .Values.a }}{{ $x = 2 }}b: {{ .b }}{{ else }}no: 1{{ end }}\nx: {{ $x }}\n{{ if and .Values.a (or .Values.q 0) }}y: 1{{ else if eq .Values.a.b "v" }}y: 2{{ end }}\n',
    { values: 'a: {b: v}\n' },
  ),
  template(
    'language: missing values',
    'a: {{ .Values.none }}\nb: {{ .Values.none | quote }}\nc: "{{ .Values.a.none }}"\nd: {{ default "x" .Values.none }}\n',
    { values: 'a: {}\n' },
  ),
  template('language: a value below nothing', 'ok: 1\na: {{ .Values.none.deeper.still }}\n'),
  template('language: a field of text', '\n\n  a: {{ .Values.s.field }}\n', { values: 's: text\n' }),
  template('language: an error inside an include', '{{ define "d" }}{{ .x.y.z }}{{ end }}\n\na: {{ include "d" . }}\n'),
  template('language: an error of a function', 'a: {{ div 1 0 }}\n'),
  template('language: a wrong argument', 'a: {{ "x" | indent "y" }}\n'),
  template('language: does not parse', 'a: 1\nb: {{ if }}\n'),
  template('language: an unknown function', 'a: {{ nope 1 }}\n'),
  template('language: an end that is missing', '{{ if true }}\na: 1\n'),
  template('language: an unknown template', 'a: {{ include "none" . }}\n'),
  template(
    'language: comparisons',
    'a: {{ eq 1 1 }} {{ eq "a" "b" "a" }} {{ lt 1 2 }} {{ ne 1.0 1.5 }} {{ ge "b" "a" }} {{ not true }} {{ and 1 0 }} {{ or 0 "x" }}\nb: {{ eq .Values.n 1.0 }} {{ len "héé" }} {{ index .Values.l 1 }} {{ slice "abcd" 1 3 }} {{ printf "%05.1f|%-5s|%x|%q|%v" 3.14159 "a" 255 "q" (list 1) }}\n',
    { values: 'n: 1\nl: [a, b]\n' },
  ),
  template('language: a comparison of different kinds', 'a: {{ eq .Values.n 1 }}\n', { values: 'n: 1\n' }),
  template(
    'language: spaces and comments',
    'a: 1\n{{- /* gone */ -}}\n{{ "\\n" -}}\n\n   b: 2\n{{/* kept line */}}\nc: {{- " x" -}}\n\n',
  ),
  template('language: endless inclusion', '{{ define "x" }}{{ include "x" . }}{{ end }}{{ include "x" . }}\n', {
    errorUpTo: /t\.yaml:1:/,
  }),
]

const schemaOf = (schema: unknown): Record<string, string> => ({ 'values.schema.json': JSON.stringify(schema) })
const schemas: readonly HelmCase[] = [
  template('schema: holds', 'a: 1\n', {
    values: 'a: 1\nb: x\n',
    more: schemaOf({
      type: 'object',
      required: ['a'],
      properties: { a: { type: 'integer', minimum: 0 }, b: { enum: ['x', 'y'] } },
    }),
  }),
  template('schema: a wrong type', 'a: 1\n', {
    values: 'a: x\n',
    more: schemaOf({ properties: { a: { type: 'integer' } } }),
  }),
  template('schema: something is missing', 'a: 1\n', { values: 'b: 1\n', more: schemaOf({ required: ['a'] }) }),
  template('schema: something is too much', 'a: 1\n', {
    values: 'b: 1\n',
    more: schemaOf({ additionalProperties: false, properties: { a: {} } }),
  }),
  template('schema: deep and by reference', 'a: 1\n', {
    values: 'a: {b: [{c: -1}]}\n',
    more: schemaOf({
      definitions: { c: { type: 'number', minimum: 0 } },
      properties: { a: { properties: { b: { items: { properties: { c: { $ref: '#/definitions/c' } } } } } } },
    }),
  }),
  template('schema: of a chart below', 'a: 1\n', {
    values: 's: {x: 1}\n',
    more: sub('s', { 'values.schema.json': '{"properties": {"x": {"type": "string"}}}' }),
  }),
  template('schema: is passed over', 'a: 1\n', {
    values: 'a: x\n',
    more: schemaOf({ properties: { a: { type: 'integer' } } }),
    args: ['--skip-schema-validation'],
  }),
]

const charts: readonly HelmCase[] = [
  { name: 'charts: no Chart.yaml', files: { 'c/templates/a.yaml': 'a: 1\n' }, errorUpTo: /^Error: / },
  template('charts: no version', 'a: 1\n', { more: { 'Chart.yaml': 'apiVersion: v2\nname: c\n' } }),
  template('charts: a bad version', 'a: 1\n', { more: { 'Chart.yaml': 'apiVersion: v2\nname: c\nversion: x.y\n' } }),
  template('charts: a bad name', 'a: 1\n', { more: { 'Chart.yaml': 'apiVersion: v2\nname: a/b\nversion: 1.0.0\n' } }),
  template('charts: a bad type', 'a: 1\n', { chart: 'type: other\n' }),
  template('charts: the same dependency twice', 'a: 1\n', {
    chart: 'dependencies:\n- {name: s, version: "1"}\n- {name: s, version: "2"}\n',
  }),
  template('charts: a bad alias', 'a: 1\n', { chart: 'dependencies:\n- {name: s, version: "1", alias: "a b"}\n' }),
  template('charts: versions that are numbers', 'a: {{ .Chart.Version }} {{ .Chart.AppVersion }}\n', {
    more: { 'Chart.yaml': 'apiVersion: v2\nname: c\nversion: 1.2\nappVersion: 3.10\n' },
  }),
  template('charts: a byte order mark', 'a: {{ .Values.x }}\n', { more: { 'values.yaml': '\uFEFFx: 1\n' } }),
]

/** Every case, in groups. */
export const helmCases: readonly HelmCase[] = [
  ...values,
  ...objects,
  ...dependencies,
  ...output,
  ...functions,
  ...language,
  ...schemas,
  ...charts,
]
