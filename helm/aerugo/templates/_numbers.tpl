{{/*
Settings that the chart calculates with, read as the registry reads them (src/config/parsers.ts). What the registry
would refuse is nothing here, and refused by the callers. test/helm/numbers.spec.ts compares the two.
*/}}

{{/* What JavaScript's trim() removes. */}}
{{- define "aerugo.space" -}}[\t-\r\p{Z}\x{FEFF}]*{{- end }}

{{/* A whole number with a unit or none, in the smallest unit. Argument: (list text units minimum maximum) */}}
{{- define "aerugo.amount" -}}
{{- $units := index . 1 -}}
{{- $space := include "aerugo.space" . -}}
{{- $form := printf "^%[1]s0*([0-9]{1,16})%[1]s(%[2]s)?%[1]s$" $space (keys $units | sortAlpha | join "|") -}}
{{- if regexMatch $form (index . 0) -}}
{{- $unit := regexReplaceAll $form (index . 0) "${2}" -}}
{{- $amount := mulf (regexReplaceAll $form (index . 0) "${1}" | float64) (ternary 1.0 (get $units $unit) (empty $unit)) -}}
{{- if and (ge $amount (index . 2 | float64)) (le $amount (index . 3 | float64)) -}}{{ printf "%.0f" $amount }}{{- end -}}
{{- end -}}
{{- end }}

{{/* Seconds. Argument: (list text minimum maximum) */}}
{{- define "aerugo.readDuration" -}}
{{- $units := dict "s" 1.0 "m" 60.0 "h" 3600.0 "d" 86400.0 -}}
{{- include "aerugo.amount" (list (index . 0) $units (index . 1) (index . 2)) -}}
{{- end }}

{{/* Bytes. Argument: (list text minimum maximum) */}}
{{- define "aerugo.readSize" -}}
{{- $units := dict "B" 1.0 "KiB" 1024.0 "MiB" 1048576.0 "GiB" 1073741824.0 "TiB" 1099511627776.0 -}}
{{- $units = merge $units (dict "kB" 1e3 "MB" 1e6 "GB" 1e9 "TB" 1e12) -}}
{{- include "aerugo.amount" (list (index . 0) $units (index . 1) (index . 2)) -}}
{{- end }}

{{/* Argument: (list text minimum maximum) */}}
{{- define "aerugo.readCount" -}}
{{- include "aerugo.amount" (list (index . 0) dict (index . 1) (index . 2)) -}}
{{- end }}

{{/* Argument: (list address) */}}
{{- define "aerugo.readPort" -}}
{{- $space := include "aerugo.space" . -}}
{{- $form := printf "^%[1]s(?:\\[[0-9A-Fa-f:.]+\\]|[^:\\[\\]\\t-\\r\\p{Z}\\x{FEFF}]*):([0-9]{1,5})%[1]s$" $space -}}
{{- if regexMatch $form (index . 0) -}}
{{- include "aerugo.readCount" (list (regexReplaceAll $form (index . 0) "${1}") 1 65535) -}}
{{- end -}}
{{- end }}

{{/* A quantity of Kubernetes as a number, whatever its kind. Argument: (list quantity) */}}
{{- define "aerugo.readQuantity" -}}
{{- $form := "^([0-9]+\\.?[0-9]*|\\.[0-9]+)(?:([eE][+-]?[0-9]+)|([numkMGTPE]|[KMGTPE]i))?$" -}}
{{- $text := index . 0 | toString -}}
{{- if regexMatch $form $text -}}
{{- $units := dict "n" 1e-9 "u" 1e-6 "m" 1e-3 "k" 1e3 "M" 1e6 "G" 1e9 "T" 1e12 "P" 1e15 "E" 1e18 -}}
{{- $units = merge $units (dict "Ki" 1024.0 "Mi" 1048576.0 "Gi" 1073741824.0 "Ti" 1099511627776.0) -}}
{{- $units = merge $units (dict "Pi" 1125899906842624.0 "Ei" 1152921504606846976.0) -}}
{{- $unit := regexReplaceAll $form $text "${3}" -}}
{{- printf "%.0f" (mulf (regexReplaceAll $form $text "${1}${2}" | float64) (ternary 1.0 (get $units $unit) (empty $unit))) -}}
{{- end -}}
{{- end }}

{{/* What `config` has for a setting, or its default; an empty variable is none. Argument: (list $ setting default) */}}
{{- define "aerugo.written" -}}
{{- get (include "aerugo.config" (index . 0) | fromYaml) (index . 1) | default (index . 2) -}}
{{- end }}

{{/* Argument: (list setting value what) */}}
{{- define "aerugo.readable" -}}
{{- if empty (index . 1) -}}{{- fail (printf "config.%s must be %s" (index . 0) (index . 2)) -}}{{- end -}}
{{- index . 1 -}}
{{- end }}

{{/* Argument: (list $ setting default maximum) */}}
{{- define "aerugo.seconds" -}}
{{- $read := include "aerugo.readDuration" (list (include "aerugo.written" .) 0 (index . 3)) -}}
{{- $what := printf "a duration from 0 to %d seconds, such as 90, 90s, 15m, 24h or 7d" (index . 3 | int) -}}
{{- include "aerugo.readable" (list (index . 1) $read $what) -}}
{{- end }}

{{/* Argument: (list $ setting default maximum) */}}
{{- define "aerugo.count" -}}
{{- $read := include "aerugo.readCount" (list (include "aerugo.written" .) 1 (index . 3)) -}}
{{- include "aerugo.readable" (list (index . 1) $read (printf "a whole number from 1 to %d" (index . 3 | int))) -}}
{{- end }}

{{/* Argument: (list $ setting) */}}
{{- define "aerugo.portOf" -}}
{{- $read := include "aerugo.readPort" (list (include "aerugo.written" (append . ""))) -}}
{{- include "aerugo.readable" (list (index . 1) $read "host:port with a port from 1 to 65535, which the Service has to know") -}}
{{- end }}

{{- define "aerugo.port" -}}
{{- include "aerugo.portOf" (list . "LISTEN_ADDRESS") -}}
{{- end }}

{{- define "aerugo.metricsPort" -}}
{{- include "aerugo.portOf" (list . "METRICS_LISTEN_ADDRESS") -}}
{{- end }}

{{- define "aerugo.shutdownDelaySeconds" -}}
{{- include "aerugo.seconds" (list . "SHUTDOWN_DELAY_SECONDS" "0" 600) -}}
{{- end }}

{{- define "aerugo.shutdownGraceSeconds" -}}
{{- include "aerugo.seconds" (list . "SHUTDOWN_GRACE_SECONDS" "30" 3600) -}}
{{- end }}

{{- define "aerugo.maxConnections" -}}
{{- include "aerugo.count" (list . "DATABASE_MAX_CONNECTIONS" "10" 1000) -}}
{{- end }}

{{/* `auto` is as many as the machine has processors, which the chart does not know: at least one. */}}
{{- define "aerugo.workers" -}}
{{- if eq (include "aerugo.written" (list . "WORKERS" "1")) "auto" -}}1
{{- else -}}
{{- include "aerugo.count" (list . "WORKERS" "1" 64) -}}
{{- end -}}
{{- end }}

{{/* 128 MiB are two of the largest parts. */}}
{{- define "aerugo.uploadMemoryBytes" -}}
{{- $read := include "aerugo.readSize" (list (include "aerugo.written" (list . "UPLOAD_MEMORY_BUDGET" "256MiB")) 134217728 9007199254740991) -}}
{{- include "aerugo.readable" (list "UPLOAD_MEMORY_BUDGET" $read "a size of at least 128MiB, such as 256MiB") -}}
{{- end }}

{{/* Of a node; nothing where there is no limit. */}}
{{- define "aerugo.memoryLimitBytes" -}}
{{- with dig "limits" "memory" "" (default dict .Values.resources) -}}{{- include "aerugo.readQuantity" (list .) -}}{{- end -}}
{{- end }}

{{/* preStop, the delay, the grace, then the 10 s after which stuck workers are killed, then a little. */}}
{{- define "aerugo.terminationGraceSeconds" -}}
{{- add .Values.preStopSeconds (include "aerugo.shutdownDelaySeconds" . | atoi) (include "aerugo.shutdownGraceSeconds" . | atoi) 15 }}
{{- end }}

{{- define "aerugo.checkNumbers" -}}
{{- $seconds := include "aerugo.terminationGraceSeconds" . -}}
{{- $numbers := list (include "aerugo.port" .) (include "aerugo.maxConnections" .) (include "aerugo.workers" .) -}}
{{- if .Values.metrics.enabled -}}{{- $numbers = append $numbers (include "aerugo.metricsPort" .) -}}{{- end -}}
{{- if eq 0 (add .Values.preStopSeconds (include "aerugo.shutdownDelaySeconds" . | atoi) | int) -}}
{{- fail "config.SHUTDOWN_DELAY_SECONDS and preStopSeconds are both 0: a pod would close its port while routers still send" -}}
{{- end -}}
{{- $limit := include "aerugo.memoryLimitBytes" . -}}
{{- if and $limit (ge (include "aerugo.uploadMemoryBytes" . | float64) ($limit | float64)) -}}
{{- fail (printf "config.UPLOAD_MEMORY_BUDGET (%v) is not below resources.limits.memory (%v): the limit has to be the budget and 512Mi more for each of WORKERS" (include "aerugo.written" (list . "UPLOAD_MEMORY_BUDGET" "256MiB")) .Values.resources.limits.memory) -}}
{{- end -}}
{{- range .Values.extraEnv -}}
{{- if has .name (list "LISTEN_ADDRESS" "METRICS_LISTEN_ADDRESS" "DATA_DIR" "SHUTDOWN_DELAY_SECONDS" "SHUTDOWN_GRACE_SECONDS" "UPLOAD_MEMORY_BUDGET" "WORKERS" "DATABASE_MAX_CONNECTIONS" "TLS_CERT_FILE") -}}
{{- fail (printf "extraEnv has %[1]s, which the chart has to know: give it as config.%[1]s" .name) -}}
{{- end -}}
{{- end -}}
{{- end }}
