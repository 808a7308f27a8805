{{/*
The rights by kind of action (files/rights.json, generated) joined for the grants in the values, as core/actions/roles.py joins them.
tests/cluster/test_chart.py renders many grants, namespaces and forms, and compares each document with what `day2 rbac generate` prints.
*/}}

{{- define "day2.rights" -}}{{ .Files.Get "files/rights.json" }}{{- end }}

{{/* Agent to its kinds of action, as JSON. `*` is the whole catalogue; what the catalogue does not know grants nothing. */}}
{{- define "day2.grants" -}}
{{- $known := keys (include "day2.rights" . | fromJson).kinds }}
{{- $found := dict }}
{{- range .Values.documents }}
{{- if eq .kind "Grant" }}
{{- $kinds := list }}
{{- range .spec.capabilities }}
{{- if eq . "*" }}{{ $kinds = concat $kinds $known }}{{ else if has . $known }}{{ $kinds = append $kinds . }}{{ end }}
{{- end }}
{{- $_ := set $found .spec.agent (concat (get $found .spec.agent | default list) $kinds | uniq | sortAlpha) }}
{{- end }}
{{- end }}
{{- $found | toJson }}
{{- end }}

{{/* Kubernetes before 1.36 cannot limit impersonation to requests. */}}
{{- define "day2.form" -}}
{{- if ne .Values.rbac.form "auto" }}{{ .Values.rbac.form }}
{{- else if semverCompare "<1.36.0-0" .Capabilities.KubeVersion.Version }}legacy
{{- else }}constrained{{ end }}
{{- end }}

{{/* Rules of several kinds as one list: verbs of one resource together, in the order of group and resource. Takes a list, gives JSON. */}}
{{- define "day2.joined" -}}
{{- $verbs := dict }}
{{- range . }}
{{- $key := printf "%s %s" (first .apiGroups) (first .resources) }}
{{- $_ := set $verbs $key (concat (get $verbs $key | default list) .verbs | uniq | sortAlpha) }}
{{- end }}
{{- $rules := list }}
{{- range $key := keys $verbs | sortAlpha }}
{{- $parts := splitList " " $key }}
{{- $rules = append $rules (dict "apiGroups" (list (first $parts)) "resources" (list (last $parts)) "verbs" (get $verbs $key)) }}
{{- end }}
{{- $rules | toJson }}
{{- end }}

{{/* A ClusterRole with its binding: everywhere, or once per namespace. Takes root, name, rules, subjects, namespaces. */}}
{{- define "day2.bound" }}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata:
  name: {{ .name }}
  labels: {{- include "day2.labels" .root | nindent 4 }}
rules: {{- .rules | toYaml | nindent 2 }}
{{- $all := . }}
{{- range $space := ternary (.namespaces | sortAlpha) (list "") (gt (len .namespaces) 0) }}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: {{ ternary "RoleBinding" "ClusterRoleBinding" (ne $space "") }}
metadata:
  name: {{ $all.name }}
  {{- with $space }}
  namespace: {{ . }}
  {{- end }}
  labels: {{- include "day2.labels" $all.root | nindent 4 }}
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: ClusterRole
  name: {{ $all.name }}
subjects: {{- $all.subjects | toYaml | nindent 2 }}
{{- end }}
{{- end }}

{{/* Cluster-wide resources need a cluster-wide binding; all else stays inside the namespaces. Takes root, name, rights, subjects. */}}
{{- define "day2.split" }}
{{- $spaces := .root.Values.namespaces }}
{{- $inside := include "day2.joined" .rights.inside | fromJsonArray }}
{{- if $inside }}
{{- include "day2.bound" (dict "root" .root "name" .name "rules" $inside "subjects" .subjects "namespaces" $spaces) }}
{{- end }}
{{- $wide := list }}
{{- range include "day2.joined" .rights.wide | fromJsonArray }}
{{- if and $spaces (has "namespaces" .resources) }}
{{- $wide = append $wide (merge (dict "resourceNames" ($spaces | sortAlpha)) .) }}
{{- else }}
{{- $wide = append $wide . }}
{{- end }}
{{- end }}
{{- if $wide }}
{{- include "day2.bound" (dict "root" .root "name" (printf "%s-cluster" .name) "rules" $wide "subjects" .subjects "namespaces" list) }}
{{- end }}
{{- end }}

{{/* Whom judge or executor may be. Takes root, role, prefix. */}}
{{- define "day2.identityRole" }}
{{- $rights := include "day2.rights" .root | fromJson }}
{{- $form := include "day2.form" .root }}
{{- $users := list }}
{{- $prefix := .prefix }}
{{- range keys (include "day2.grants" .root | fromJson) | sortAlpha }}{{ $users = append $users (printf "%s%s" $prefix .) }}{{ end }}
{{- $own := get (get $rights .role) $form }}
{{- $rules := concat (list (merge (dict "resourceNames" $users) $own.users)) $own.others }}
{{- $subjects := list (include "day2.account" .role | fromYaml) }}
{{- include "day2.bound" (dict "root" .root "name" (printf "day2-%s-identity" .role) "rules" $rules "subjects" $subjects "namespaces" list) }}
{{- if eq $form "constrained" }}
{{- include "day2.split" (dict "root" .root "name" (printf "day2-%s-on" .role) "rights" (get $rights.on .role) "subjects" $subjects) }}
{{- end }}
{{- end }}

{{- define "day2.account" -}}
kind: ServiceAccount
name: {{ . }}
namespace: {{ include "day2.namespace" nil }}
{{- end }}
