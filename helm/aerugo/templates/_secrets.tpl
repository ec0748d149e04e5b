{{/*
A generated value that stays what it is: from the Secret in the cluster, else random, and the same wherever one
rendering asks for it. Argument: (list $ key length)
*/}}
{{- define "aerugo.kept" -}}
{{- $root := index . 0 -}}
{{- $key := index . 1 -}}
{{- if not (hasKey $root.Values "kept") -}}{{- $_ := set $root.Values "kept" dict -}}{{- end -}}
{{- $kept := $root.Values.kept -}}
{{- if not (hasKey $kept $key) -}}
{{- $found := lookup "v1" "Secret" $root.Release.Namespace (include "aerugo.fullname" $root) -}}
{{- $data := (default dict $found).data | default dict -}}
{{- $value := ternary (get $data $key | b64dec) (randAlphaNum (index . 2)) (hasKey $data $key) -}}
{{- $_ := set $kept $key $value -}}
{{- end -}}
{{- get $kept $key -}}
{{- end }}

{{/* Whether the values say where a secret setting comes from. Argument: (list $ setting) */}}
{{- define "aerugo.isGiven" -}}
{{- $source := get (index . 0).Values.secrets (index . 1) | default dict -}}
{{- if or $source.value $source.secretName $source.file -}}yes{{- end -}}
{{- end }}

{{/* What the chart's own Secret holds, as YAML. A value of an existing Secret is never in it. */}}
{{- define "aerugo.ownSecrets" -}}
{{- $root := . -}}
{{- $name := include "aerugo.fullname" . -}}
{{- $own := dict -}}
{{- range $setting, $source := .Values.secrets -}}
{{- if and $source.value $source.secretName -}}
{{- fail (printf "secrets.%s has both a value and a secretName: give one" $setting) -}}
{{- end -}}
{{- if and $source.file (or $source.value $source.secretName) -}}
{{- fail (printf "secrets.%s has a file and another source: give one" $setting) -}}
{{- end -}}
{{- with $source.value -}}{{- $_ := set $own $setting . -}}{{- end -}}
{{- end -}}
{{- if .Values.postgresql.bundled.enabled -}}
{{- $password := include "aerugo.kept" (list . "postgresql-password" 32) -}}
{{- $_ := set $own "postgresql-password" $password -}}
{{- $_ := set $own "DATABASE_URL" (printf "postgresql://aerugo:%s@%s-postgresql:5432/aerugo" $password $name) -}}
{{- end -}}
{{- if .Values.redis.bundled.enabled -}}
{{- $password := include "aerugo.kept" (list . "redis-password" 32) -}}
{{- $_ := set $own "redis-password" $password -}}
{{- $_ := set $own "REDIS_URL" (printf "redis://:%s@%s-redis:6379" $password $name) -}}
{{- end -}}
{{- if .Values.s3.bundled.enabled -}}
{{- $_ := set $own "S3_ACCESS_KEY" (include "aerugo.kept" (list . "S3_ACCESS_KEY" 20)) -}}
{{- $_ := set $own "S3_SECRET_KEY" (include "aerugo.kept" (list . "S3_SECRET_KEY" 40)) -}}
{{- end -}}
{{- if not (include "aerugo.isGiven" (list . "JWT_SECRET")) -}}
{{- $_ := set $own "JWT_SECRET" (include "aerugo.kept" (list . "JWT_SECRET" 64)) -}}
{{- end -}}
{{- if and .Values.generateAdminPassword (not (include "aerugo.isGiven" (list . "ADMIN_PASSWORD"))) -}}
{{- $_ := set $own "ADMIN_PASSWORD" (include "aerugo.kept" (list . "ADMIN_PASSWORD" 24)) -}}
{{- end -}}
{{- toYaml $own -}}
{{- end }}

{{/* One variable from a Secret. Argument: (list variable secret key) */}}
{{- define "aerugo.secretVariable" -}}
- name: {{ index . 0 }}
  valueFrom:
    secretKeyRef:
      name: {{ index . 1 }}
      key: {{ index . 2 }}
{{- end }}

{{/*
Where each secret setting comes from, as YAML: { secret, key } or { file }. Argument: (list $ ownSecret ownKeys only);
`only` empty: all settings.
*/}}
{{- define "aerugo.secretSources" -}}
{{- $root := index . 0 -}}
{{- $ownSecret := index . 1 -}}
{{- $ownKeys := index . 2 -}}
{{- $only := index . 3 -}}
{{- $sources := dict -}}
{{- range $setting := concat (keys $root.Values.secrets) $ownKeys | uniq -}}
{{- $source := get $root.Values.secrets $setting | default dict -}}
{{- if and (regexMatch "^[A-Z0-9_]+$" $setting) (or (empty $only) (has $setting $only)) -}}
{{- if $source.file -}}
{{- $_ := set $sources $setting (dict "file" $source.file) -}}
{{- else if $source.secretName -}}
{{- $_ := set $sources $setting (dict "secret" $source.secretName "key" (default $setting $source.secretKey)) -}}
{{- else if has $setting $ownKeys -}}
{{- $_ := set $sources $setting (dict "secret" $ownSecret "key" $setting) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- toYaml $sources -}}
{{- end }}

{{/* Variables for the secret settings. Argument: (list sources asFiles) */}}
{{- define "aerugo.secretVariables" -}}
{{- $asFiles := index . 1 -}}
{{- range $setting, $source := index . 0 }}
{{- if or $asFiles $source.file }}
- name: {{ $setting }}_FILE
  value: {{ default (printf "/etc/aerugo/secrets/%s" $setting) $source.file }}
{{- else }}
{{ include "aerugo.secretVariable" (list $setting $source.secret $source.key) }}
{{- end }}
{{- end }}
{{- end }}

{{/* The volume of the files that those variables name, or nothing. Argument: (list sources asFiles) */}}
{{- define "aerugo.secretVolume" -}}
{{- $files := dict -}}
{{- range $setting, $source := index . 0 -}}
{{- if $source.secret -}}{{- $_ := set $files $setting $source -}}{{- end -}}
{{- end -}}
{{- if and $files (index . 1) -}}
- name: secrets
  projected:
    # For the group that fsGroup gives the pod.
    defaultMode: 0440
    sources:
      {{- range $setting, $source := $files }}
      - secret:
          name: {{ $source.secret }}
          items:
            - key: {{ $source.key }}
              path: {{ $setting }}
      {{- end }}
{{- end -}}
{{- end }}

{{- define "aerugo.secretMount" -}}
- name: secrets
  mountPath: /etc/aerugo/secrets
  readOnly: true
{{- end }}

{{/* What cannot work is refused here, before anything is made. */}}
{{- define "aerugo.check" -}}
{{- $config := include "aerugo.config" . | fromYaml -}}
{{- range $part, $setting := dict "postgresql" "DATABASE_URL" "redis" "REDIS_URL" "s3" "S3_ACCESS_KEY" -}}
{{- if and (get $.Values $part).bundled.enabled (include "aerugo.isGiven" (list $ $setting)) -}}
{{- fail (printf "%s.bundled.enabled and secrets.%s are both given: which one shall it be?" $part $setting) -}}
{{- end -}}
{{- end -}}
{{- if not (or (include "aerugo.isGiven" (list . "DATABASE_URL")) .Values.postgresql.bundled.enabled) -}}
{{- fail "no database: give secrets.DATABASE_URL a secretName (or a value), or for a trial postgresql.bundled.enabled=true" -}}
{{- end -}}
{{- if not (or $config.S3_BUCKET (eq (default "" $config.STORAGE_TYPE | trim) "filesystem")) -}}
{{- fail "no blob storage: give config.S3_BUCKET, or for a trial s3.bundled.enabled=true" -}}
{{- end -}}
{{- if and .Values.image.tag .Values.image.digest -}}
{{- fail "image.tag and image.digest are both given, and the digest alone would count: set image.digest to '' for a tag" -}}
{{- end -}}
{{- include "aerugo.checkNumbers" . -}}
{{- if and (eq .Values.service.ipFamilyPolicy "SingleStack") (gt (len .Values.service.ipFamilies) 1) -}}
{{- fail "service.ipFamilyPolicy is SingleStack, and service.ipFamilies has two" -}}
{{- end -}}
{{- if and .Values.networkPolicy.enabled (empty .Values.networkPolicy.ingress.from) -}}
{{- $egress := .Values.networkPolicy.egress -}}
{{- $rules := list $egress.dns.to $egress.postgresql.to $egress.redis.to $egress.s3.to $egress.extra -}}
{{- range $rules -}}
{{- if . -}}
{{- fail "networkPolicy.egress has rules, which count only once networkPolicy.ingress.from says who may reach the registry" -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- if and .Values.httpRoute.enabled (empty .Values.httpRoute.parentRefs) -}}
{{- fail "httpRoute.enabled needs httpRoute.parentRefs: the Gateway that the route belongs to" -}}
{{- end -}}
{{- end }}
