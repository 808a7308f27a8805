{{/* One pod of ours. All meet Pod Security's restricted level, and each mounts just what its role needs. */}}

{{/* The roles that run, with the account of each, what is mounted, and the ports. JSON. */}}
{{- define "day2.roles" -}}
{{- $gated := include "day2.gated" . }}
{{- $told := list "alertmanager" "pages" }}
{{- $controller := dict "role" "controller" "account" "reader" "secrets" (list "model" "prometheus") "ports" (dict "controller" 9464) "roles" (list "controller") }}
{{- if and (not $gated) .Values.notifier.enabled }}
{{- $_ := set $controller "roles" (list "controller" "notifier") }}
{{- $_ := set $controller "secrets" (concat $controller.secrets $told) }}
{{- $_ := set $controller.ports "notifier" 9465 }}
{{- end }}
{{- $found := list $controller }}
{{- if $gated }}
{{- $found = append $found (dict "role" "judge" "account" "judge" "secrets" (list "review" "prometheus") "ports" dict) }}
{{- $found = append $found (dict "role" "webhook" "account" "webhook" "secrets" (list "webhook") "ports" (dict "webhook" .Values.webhook.port) "small" true) }}
{{- if .Values.notifier.enabled }}
{{- $found = append $found (dict "role" "notifier" "account" "notifier" "secrets" $told "ports" (dict "notifier" 9465)) }}
{{- end }}
{{- end }}
{{- if eq .Values.mode "act" }}
{{- $found = append $found (dict "role" "executor" "account" "executor" "secrets" (list "webhook-ca" "prometheus") "ports" dict "small" true) }}
{{- end }}
{{- if .Values.console.enabled }}
{{- $ports := ternary (dict "console" .Values.console.port) dict (ne (include "day2.consoleOpen" .) "") }}
{{- $found = append $found (dict "role" "console" "account" "console" "secrets" (list "model" "prometheus" "oidc") "ports" $ports) }}
{{- end }}
{{- $found | toJson }}
{{- end }}

{{/* The Secret behind a mount, empty for none. Takes root and name. */}}
{{- define "day2.secret" -}}
{{- $hook := .root.Values.webhook }}
{{- if eq .name "webhook" }}{{ ternary "day2-webhook" ($hook.existingSecret | default $hook.caSecret) $hook.certManager.enabled }}
{{- else if eq .name "webhook-ca" }}{{ ternary "day2-webhook" "" $hook.certManager.enabled }}
{{- else }}{{ get .root.Values.credentials .name }}{{ end }}
{{- end }}

{{- define "day2.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
runAsNonRoot: true
capabilities:
  drop: [ALL]
{{- end }}

{{- define "day2.resources" -}}
{{- $found := dict }}
{{- range $side, $amounts := .Values.pods.resources }}
{{- $set := dict }}
{{- range $name, $amount := $amounts }}{{ if $amount }}{{ $_ := set $set $name $amount }}{{ end }}{{ end }}
{{- if $set }}{{ $_ := set $found $side $set }}{{ end }}
{{- end }}
{{- $found | toYaml }}
{{- end }}

{{/* What a process finds in its environment. Takes root and role. */}}
{{- define "day2.environment" -}}
- name: HOME
  value: /tmp
- name: DAY2_KUBERNETES__SERVER
  value: {{ .root.Values.cluster.server | default "https://$(KUBERNETES_SERVICE_HOST):$(KUBERNETES_SERVICE_PORT)" | quote }}
{{- with .root.Values.ledger.existingSecret }}
- name: DAY2_STORE__LEDGER_URL
  valueFrom:
    secretKeyRef: {name: {{ . }}, key: url}
{{- end }}
{{- if has .role (list "controller" "console") }}
{{- with .root.Values.credentials.registry }}
- name: DAY2_REGISTRY__URL
  valueFrom:
    secretKeyRef: {name: {{ . }}, key: url}
{{- end }}
{{- end }}
{{- if eq .role "notifier" }}
- name: DAY2_KUBERNETES__NOTIFIER_KUBECONFIG
  value: {{ include "day2.etc" .root }}/kubeconfig
{{- end }}
{{- if eq .role "executor" }}
{{- if and .root.Values.networkPolicy.enabled (not .root.Values.networkPolicy.prometheus.cidrs) }}
{{- /* It would wait for an address that it cannot reach. */}}
- name: DAY2_PROMETHEUS__URL
  value: ""
{{- end }}
{{- end }}
{{- end }}

{{- define "day2.prepare" -}}
{{- $line := list "day2" "serve" }}
{{- range . }}{{ $line = concat $line (list "--role" .) }}{{ end }}
{{- append $line "--prepare" | toJson }}
{{- end }}

{{- define "day2.command" -}}
{{- $python := "/opt/day2/.venv-run/bin/python" }}
{{- /* The executor's own small set of packages has no driver for Postgres. */}}
{{- if and .small (include "day2.sqlite" .root) }}{{ $python = "/opt/day2/.venv-executor/bin/python" }}{{ end }}
{{- if eq .role "controller" }}
{{- $line := list "day2" "serve" }}
{{- range .roles }}{{ $line = concat $line (list "--role" .) }}{{ end }}
{{- $line | toJson }}
{{- else }}
{{- $module := ternary "interfaces.web" (printf "runtime.roles.%s" .role) (eq .role "console") }}
{{- list $python "-m" $module "--settings" (printf "%s/%s.settings.json" (include "day2.private" .root) .role) | toJson }}
{{- end }}
{{- end }}

{{/* Takes root and the row of the role. */}}
{{- define "day2.pod" -}}
{{- $root := .root }}
{{- $row := .row }}
{{- $etc := include "day2.etc" $root }}
{{- $secrets := list }}
{{- range $row.secrets }}
{{- $secret := include "day2.secret" (dict "root" $root "name" .) }}
{{- if $secret }}{{ $secrets = append $secrets (dict "name" . "secret" $secret) }}{{ end }}
{{- end }}
{{- $environment := include "day2.environment" (dict "root" $root "role" $row.role) }}
metadata:
  labels: {{- include "day2.labels" $root | nindent 4 }}
    app.kubernetes.io/component: {{ $row.role }}
    {{- with $root.Values.pods.labels }}{{ toYaml . | nindent 4 }}{{ end }}
  annotations:
    day2.dev/config: {{ include (print $root.Template.BasePath "/config.yaml") $root | sha256sum | trunc 16 | quote }}
    {{- with $root.Values.pods.annotations }}{{ toYaml . | nindent 4 }}{{ end }}
spec:
  serviceAccountName: {{ $row.account }}
  automountServiceAccountToken: false
  enableServiceLinks: false
  terminationGracePeriodSeconds: 30
  {{- with $root.Values.image.pullSecrets }}
  imagePullSecrets: {{- range . }}
    - name: {{ . }}
  {{- end }}
  {{- end }}
  {{- with $root.Values.pods.priorityClass }}
  priorityClassName: {{ . }}
  {{- end }}
  {{- with $root.Values.pods.nodeSelector }}
  nodeSelector: {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with $root.Values.pods.tolerations }}
  tolerations: {{- toYaml . | nindent 4 }}
  {{- end }}
  securityContext:
    runAsNonRoot: true
    runAsUser: 65532
    runAsGroup: 65532
    fsGroup: 65532
    {{- /* Only an empty volume is handed over: a change of every file would open the keys to a group, and keys that others can read are refused. */}}
    fsGroupChangePolicy: OnRootMismatch
    seccompProfile: {type: RuntimeDefault}
  {{- if not (has "ReadWriteMany" $root.Values.persistence.accessModes) }}
  {{- if ne $row.role "controller" }}
  affinity:
    {{- /* One claim, mounted once: all on the controller's node. */}}
    podAffinity:
      requiredDuringSchedulingIgnoredDuringExecution:
        - topologyKey: kubernetes.io/hostname
          labelSelector:
            matchLabels: {{- include "day2.selector" (dict "root" $root "role" "controller") | nindent 14 }}
  {{- end }}
  {{- else if has $row.role (list "webhook" "console") }}
  topologySpreadConstraints:
    - maxSkew: 1
      topologyKey: kubernetes.io/hostname
      whenUnsatisfiable: ScheduleAnyway
      labelSelector:
        matchLabels: {{- include "day2.selector" (dict "root" $root "role" $row.role) | nindent 10 }}
  {{- end }}
  {{- /* It makes the role's keys and settings, which the role itself only reads. Only here are the public keys writable: whoever could exchange the judge's could sign permits. */}}
  initContainers:
    - name: prepare
      image: {{ include "day2.image" $root }}
      imagePullPolicy: {{ $root.Values.image.pullPolicy }}
      command: {{ include "day2.prepare" (default (list $row.role) $row.roles) }}
      workingDir: {{ $etc }}
      env: {{- $environment | nindent 8 }}
      securityContext: {{- include "day2.containerSecurity" $root | nindent 8 }}
      resources: {{- include "day2.resources" $root | nindent 8 }}
      volumeMounts:
        - {name: config, mountPath: {{ $etc }}, readOnly: true}
        - {name: data, mountPath: {{ dir (include "day2.data" $root) }}, subPath: shared}
        - {name: data, mountPath: {{ include "day2.private" $root }}, subPath: private/{{ $row.role }}}
        - {name: tmp, mountPath: /tmp}
        {{- range $secrets }}
        {{- if eq .name "webhook-ca" }}
        - {name: secret-{{ .name }}, mountPath: {{ include "day2.secrets" $root }}/{{ .name }}, readOnly: true}
        {{- end }}
        {{- end }}
  containers:
    - name: {{ $row.role }}
      image: {{ include "day2.image" $root }}
      imagePullPolicy: {{ $root.Values.image.pullPolicy }}
      command: {{ include "day2.command" (dict "root" $root "role" $row.role "roles" $row.roles "small" $row.small) }}
      workingDir: {{ $etc }}
      {{- if eq $row.role "controller" }}
      env: {{- $environment | nindent 8 }}
      {{- end }}
      securityContext: {{- include "day2.containerSecurity" $root | nindent 8 }}
      resources: {{- include "day2.resources" $root | nindent 8 }}
      {{- with $row.ports }}
      ports: {{- range $name, $port := . }}
        - {name: {{ $name }}, containerPort: {{ $port }}}
      {{- end }}
      {{- end }}
      {{- if eq $row.role "webhook" }}
      readinessProbe:
        httpGet: {path: /healthz, port: webhook, scheme: HTTPS}
        periodSeconds: 5
        timeoutSeconds: 3
      {{- else if and $row.ports (eq $row.role "console") }}
      readinessProbe:
        httpGet: {path: /healthz, port: console}
        periodSeconds: 5
        timeoutSeconds: 3
      {{- else if $row.ports }}
      readinessProbe:
        tcpSocket: {port: {{ keys $row.ports | sortAlpha | first }}}
        periodSeconds: 10
      {{- end }}
      volumeMounts:
        - {name: config, mountPath: {{ $etc }}, readOnly: true}
        - {name: data, mountPath: {{ dir (include "day2.data" $root) }}, subPath: shared}
        - {name: data, mountPath: {{ include "day2.data" $root }}/keys, subPath: shared/{{ base (include "day2.data" $root) }}/keys, readOnly: true}
        - {name: data, mountPath: {{ include "day2.private" $root }}, subPath: private/{{ $row.role }}, readOnly: {{ not (or (has $row.role (list "webhook" "console")) (has "notifier" $row.roles)) }}}
        - {name: tmp, mountPath: /tmp}
        {{- if ne $row.role "webhook" }}
        - {name: identity, mountPath: {{ include "day2.identity" $root }}, readOnly: true}
        {{- end }}
        {{- if and $root.Values.rules (has $row.role (list "controller" "judge" "console")) }}
        - {name: rules, mountPath: /etc/day2-rules, readOnly: true}
        {{- end }}
        {{- range $secrets }}
        - {name: secret-{{ .name }}, mountPath: {{ include "day2.secrets" $root }}/{{ .name }}, readOnly: true}
        {{- end }}
  volumes:
    - name: config
      configMap: {name: day2}
    - name: data
      persistentVolumeClaim: {claimName: {{ include "day2.claim" $root }}}
    - name: tmp
      emptyDir: {sizeLimit: 256Mi}
    {{- if ne $row.role "webhook" }}
    - name: identity
      projected:
        defaultMode: 0440
        sources:
          - serviceAccountToken: {path: token, expirationSeconds: 3600}
          - configMap: {name: kube-root-ca.crt, items: [{key: ca.crt, path: ca.crt}]}
    {{- end }}
    {{- if and $root.Values.rules (has $row.role (list "controller" "judge" "console")) }}
    - name: rules
      configMap: {name: day2-rules}
    {{- end }}
    {{- range $secrets }}
    - name: secret-{{ .name }}
      secret:
        secretName: {{ .secret }}
        defaultMode: 0440
        {{- if eq .name "webhook-ca" }}
        items: [{key: ca.crt, path: ca.crt}]
        {{- end }}
    {{- end }}
{{- end }}
