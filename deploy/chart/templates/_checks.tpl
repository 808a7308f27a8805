{{/* What no schema can say: values that contradict each other. Each sentence names the value to set. */}}

{{- define "day2.checks" -}}
{{- if ne .Release.Namespace (include "day2.namespace" .) }}
{{- fail "install into the namespace day2-system: rights and admission name it (--namespace day2-system)" }}
{{- end }}
{{- if include "day2.gated" . }}
{{- if not (include "day2.grants" . | fromJson) }}
{{- fail (printf "mode %s needs a Grant in `documents`: without one nobody may propose anything" .Values.mode) }}
{{- end }}
{{- with .Values.webhook }}
{{- if not (or .caSecret .existingSecret .certManager.enabled) }}
{{- fail "the webhook needs a certificate: webhook.caSecret, webhook.existingSecret or webhook.certManager.enabled (docs/deploying.md)" }}
{{- end }}
{{- if and .certManager.enabled (not .certManager.issuer.name) }}
{{- fail "webhook.certManager.issuer.name is not set" }}
{{- end }}
{{- if and (not .certManager.enabled) (not (contains "BEGIN CERTIFICATE" .caBundle)) }}
{{- fail "the API server must trust the webhook: --set-file webhook.caBundle=webhook-ca.crt" }}
{{- end }}
{{- if contains "PRIVATE KEY" .caBundle }}
{{- fail "webhook.caBundle holds a private key; it wants the CA's certificate alone" }}
{{- end }}
{{- end }}
{{- end }}
{{- if and (include "day2.sqlite" .) (has "ReadWriteMany" .Values.persistence.accessModes) }}
{{- fail "sqlite is for pods on one node: ReadWriteOnce, or set ledger.existingSecret to a Postgres" }}
{{- end }}
{{- if and (include "day2.sqlite" .) .Values.console.enabled (gt (int .Values.console.replicas) 1) }}
{{- fail "several consoles need a database: console.replicas 1, or set ledger.existingSecret to a Postgres" }}
{{- end }}
{{- if and .Values.console.publicUrl (not (include "day2.consoleOpen" .)) }}
{{- fail "console.publicUrl is for people who log in at a provider: set console.enabled and config.oidc.issuer" }}
{{- end }}
{{- if and (include "day2.consoleOpen" .) (not .Values.console.publicUrl) }}
{{- fail "logins come back to console.publicUrl: set it to the gateway's https address" }}
{{- end }}
{{- if and .Values.networkPolicy.enabled (not (include "day2.sqlite" .)) (not .Values.networkPolicy.sql.cidrs) }}
{{- fail "networkPolicy.sql.cidrs says where the database is; without it no pod reaches it" }}
{{- end }}
{{- if and .Values.networkPolicy.enabled (eq .Values.mode "act") (not (include "day2.apiServerCidrs" . | fromJsonArray)) }}
{{- fail "networkPolicy.apiServer.cidrs is needed in mode act: kubectl get endpointslices -n default -l kubernetes.io/service-name=kubernetes" }}
{{- end }}
{{- end }}

{{/* As given, else asked of the cluster, which `helm template` cannot. */}}
{{- define "day2.apiServerCidrs" -}}
{{- $found := .Values.networkPolicy.apiServer.cidrs }}
{{- if not $found }}
{{- range (lookup "discovery.k8s.io/v1" "EndpointSlice" "default" "").items }}
{{- if eq (dig "labels" "kubernetes.io/service-name" "" .metadata) "kubernetes" }}
{{- $bits := ternary 128 32 (eq .addressType "IPv6") }}
{{- range .endpoints }}{{ range .addresses }}{{ $found = append $found (printf "%s/%d" . $bits) }}{{ end }}{{ end }}
{{- end }}
{{- end }}
{{- end }}
{{- $found | uniq | sortAlpha | toJson }}
{{- end }}
