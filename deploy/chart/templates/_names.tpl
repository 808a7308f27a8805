{{/* Names, labels and paths. Accounts and their namespace are named by the generated rights, so nothing here depends on the release. */}}

{{- define "day2.namespace" -}}day2-system{{- end }}
{{- define "day2.data" -}}/var/lib/day2/data{{- end }}
{{- define "day2.private" -}}/var/lib/day2-private{{- end }}
{{- define "day2.etc" -}}/etc/day2{{- end }}
{{- define "day2.secrets" -}}/etc/day2-secrets{{- end }}
{{- define "day2.identity" -}}/var/run/secrets/day2{{- end }}

{{- define "day2.labels" -}}
app.kubernetes.io/part-of: day2ops
app.kubernetes.io/name: day2ops
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end }}

{{/* Of one role's pods: what selects them, so it never changes. */}}
{{- define "day2.selector" -}}
app.kubernetes.io/part-of: day2ops
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .role }}
{{- end }}

{{- define "day2.image" -}}
{{- with .Values.image }}
{{- if .digest }}{{ .repository }}@{{ .digest }}{{ else }}{{ .repository }}:{{ .tag | default $.Chart.AppVersion }}{{ end }}
{{- end }}
{{- end }}

{{- define "day2.sqlite" -}}{{ if not .Values.ledger.existingSecret }}yes{{ end }}{{- end }}
{{/* It may be called over the network where people log in at a provider. */}}
{{- define "day2.consoleOpen" -}}{{ if and .Values.console.enabled (dig "oidc" "issuer" "" .Values.config) }}yes{{ end }}{{- end }}
{{- define "day2.gated" -}}{{ if ne .Values.mode "readOnly" }}yes{{ end }}{{- end }}
{{- define "day2.claim" -}}{{ .Values.persistence.existingClaim | default "day2-data" }}{{- end }}
