{{- define "herald.labels" -}}
app.kubernetes.io/part-of: herald
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end }}

{{- define "herald.image" -}}
{{ .Values.image.repository }}
{{- if .Values.image.digest }}@{{ .Values.image.digest }}{{ else }}:{{ .Values.image.tag | default .Chart.AppVersion }}{{ end }}
{{- end }}

{{- define "herald.poolsNamespace" -}}
{{ .Values.configMap.namespace | default .Release.Namespace }}
{{- end }}

{{- /* The ConfigMap in the release's own namespace that may be read. */ -}}
{{- define "herald.ownPools" -}}
{{ eq (include "herald.poolsNamespace" .) .Release.Namespace | ternary .Values.configMap.name "herald" }}
{{- end }}

{{- /* What the controller and the agents both have to be told. */ -}}
{{- define "herald.args" -}}
- --config-map={{ include "herald.poolsNamespace" . }}/{{ .Values.configMap.name }}
{{- if ne (join "," .Values.classes) "heraldlb.io/herald" }}
- --class={{ join "," .Values.classes }}
{{- end }}
{{- if .Values.classOnly }}
- --class-only
{{- end }}
{{- if ne .Values.logLevel "info" }}
- --log-level={{ .Values.logLevel }}
{{- end }}
{{- end }}
