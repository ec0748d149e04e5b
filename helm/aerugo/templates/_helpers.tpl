{{- define "aerugo.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 40 | trimSuffix "-" }}
{{- end }}

{{/* Suffixes such as -postgresql and a pod's hash still fit into the 63 characters of a label. */}}
{{- define "aerugo.fullname" -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 40 | trimSuffix "-" }}
{{- else if contains $name .Release.Name -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" }}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 40 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{/* Argument: (list $ component) */}}
{{- define "aerugo.selectorLabels" -}}
{{- $root := index . 0 -}}
app.kubernetes.io/name: {{ include "aerugo.name" $root }}
app.kubernetes.io/instance: {{ $root.Release.Name }}
app.kubernetes.io/component: {{ index . 1 }}
{{- end }}

{{- define "aerugo.labels" -}}
{{- $root := index . 0 -}}
{{ include "aerugo.selectorLabels" . }}
app.kubernetes.io/version: {{ $root.Chart.AppVersion | quote }}
app.kubernetes.io/part-of: aerugo
app.kubernetes.io/managed-by: {{ $root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" $root.Chart.Name $root.Chart.Version | replace "+" "_" }}
{{- with $root.Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "aerugo.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "aerugo.fullname" .) .Values.serviceAccount.name }}
{{- else -}}
{{- default "default" .Values.serviceAccount.name }}
{{- end }}
{{- end }}

{{- define "aerugo.image" -}}
{{- $image := .Values.image -}}
{{- if $image.digest -}}
{{ $image.repository }}@{{ $image.digest }}
{{- else -}}
{{ $image.repository }}:{{ default .Chart.AppVersion $image.tag }}
{{- end }}
{{- end }}

{{/* The public URL as the route in front of the nodes has it, or nothing. */}}
{{- define "aerugo.publicUrl" -}}
{{- if and .Values.ingress.enabled .Values.ingress.hosts -}}
{{ ternary "https" "http" (not (empty .Values.ingress.tls)) }}://{{ first .Values.ingress.hosts }}
{{- else if and .Values.httpRoute.enabled .Values.httpRoute.hostnames -}}
{{- $host := first .Values.httpRoute.hostnames -}}
{{- if not (contains "*" $host) -}}
{{ .Values.httpRoute.scheme }}://{{ $host }}
{{- end }}
{{- end }}
{{- end }}

{{/* YAML's numbers arrive as floats, and 2592000 must not become 2.592e+06. */}}
{{- define "aerugo.scalar" -}}
{{- if and (kindIs "float64" .) (eq (floor .) .) -}}
{{ int64 . }}
{{- else -}}
{{ . }}
{{- end }}
{{- end }}

{{/* Every address of a pod. IPv6's takes connections of IPv4 too, and does not exist where the machine has no IPv6. */}}
{{- define "aerugo.anyAddress" -}}
{{- $policy := .Values.service.ipFamilyPolicy -}}
{{- $hasIpv6 := or (has "IPv6" .Values.service.ipFamilies) (has $policy (list "PreferDualStack" "RequireDualStack")) -}}
{{- ternary "[::]" "0.0.0.0" $hasIpv6 -}}
{{- end }}

{{/* What every Service of the chart says of its addresses. */}}
{{- define "aerugo.ipFamilies" -}}
{{- with .Values.service.ipFamilyPolicy }}
ipFamilyPolicy: {{ . }}
{{- end }}
{{- with .Values.service.ipFamilies }}
ipFamilies:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{/* The settings that are no secret, as YAML: what the chart derives, under what `config` says. */}}
{{- define "aerugo.config" -}}
{{- $any := include "aerugo.anyAddress" . -}}
{{- $settings := dict "LISTEN_ADDRESS" (printf "%s:8080" $any) "DATA_DIR" "/data" -}}
{{- with include "aerugo.publicUrl" . -}}{{- $_ := set $settings "PUBLIC_URL" . -}}{{- end -}}
{{- if .Values.metrics.enabled -}}
{{- $_ := set $settings "METRICS_LISTEN_ADDRESS" (printf "%s:%v" $any .Values.metrics.port) -}}
{{- end -}}
{{- if .Values.tls.secretName -}}
{{- $_ := set $settings "TLS_CERT_FILE" "/etc/aerugo/tls/tls.crt" -}}
{{- $_ := set $settings "TLS_KEY_FILE" "/etc/aerugo/tls/tls.key" -}}
{{- end -}}
{{- if .Values.s3.bundled.enabled -}}
{{- $_ := set $settings "S3_ENDPOINT" (printf "http://%s-s3:7070" (include "aerugo.fullname" .)) -}}
{{- $_ := set $settings "S3_BUCKET" "aerugo" -}}
{{- $_ := set $settings "STORAGE_REDIRECT" "false" -}}
{{- /* versitygw keeps plain files and never compares them with anything. */ -}}
{{- $_ := set $settings "SCRUB_BYTES_PER_SECOND" "4MiB" -}}
{{- end -}}
{{- range $name, $value := .Values.config -}}
{{- /* An empty variable is none to the registry; those of the chart's own have to be there. */ -}}
{{- $isOwn := has $name (list "LISTEN_ADDRESS" "METRICS_LISTEN_ADDRESS" "DATA_DIR") -}}
{{- if not (or (kindIs "invalid" $value) (and $isOwn (eq (toString $value) ""))) -}}
{{- $_ := set $settings $name (include "aerugo.scalar" $value) -}}
{{- end -}}
{{- end -}}
{{- toYaml $settings -}}
{{- end }}

{{/* What clients of a pod speak; `config` may name files of other volumes. */}}
{{- define "aerugo.scheme" -}}
{{- ternary "https" "http" (not (empty (include "aerugo.written" (list . "TLS_CERT_FILE" "")))) }}
{{- end }}

{{- define "aerugo.image.pull" -}}
image: {{ include "aerugo.image" . }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
{{- end }}

{{- define "aerugo.imagePullSecrets" -}}
{{- with .Values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{/* Where pods may run, for every pod of the chart. */}}
{{- define "aerugo.placement" -}}
{{- with .Values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{/* Argument: (list $ path timing) */}}
{{- define "aerugo.probe" -}}
httpGet:
  path: {{ index . 1 }}
  port: http
  {{- if eq (include "aerugo.scheme" (index . 0)) "https" }}
  # The kubelet asks by the pod's address, and checks no certificate.
  scheme: HTTPS
  {{- end }}
{{ toYaml (index . 2) }}
{{- end }}

{{/* Argument: the weight */}}
{{- define "aerugo.migrateHook" -}}
helm.sh/hook: pre-install,pre-upgrade
helm.sh/hook-weight: {{ . | quote }}
helm.sh/hook-delete-policy: before-hook-creation,hook-succeeded
{{- end }}

{{/* Ways out are closed for a release that says who may come in: its network is known. */}}
{{- define "aerugo.policyTypes" -}}
{{ ternary "[Ingress, Egress]" "[Ingress]" (not (empty .Values.networkPolicy.ingress.from)) }}
{{- end }}

{{/* One way out. Argument: { to, ports }; no `to` is anywhere. */}}
{{- define "aerugo.egressRule" -}}
- ports:
    {{- range .ports }}
    {{- if kindIs "map" . }}
    - {{- toYaml . | nindent 6 }}
    {{- else }}
    - port: {{ . }}
    {{- end }}
    {{- end }}
  {{- with .to }}
  to:
    {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end }}
