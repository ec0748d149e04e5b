{{/*
What each controller has to be told: layers of any size, passed on while they arrive (nothing is kept on the
controller's disk), and no end to a transfer that moves. docs/DEPLOYMENT.md says why, and what others need.
*/}}
{{- define "aerugo.ingressAnnotations" -}}
{{- $isSecure := eq (include "aerugo.scheme" .) "https" -}}
{{- if eq .Values.ingress.controller "ingress-nginx" -}}
nginx.ingress.kubernetes.io/proxy-body-size: '0'
nginx.ingress.kubernetes.io/proxy-request-buffering: 'off'
nginx.ingress.kubernetes.io/proxy-buffering: 'off'
nginx.ingress.kubernetes.io/proxy-http-version: '1.1'
nginx.ingress.kubernetes.io/proxy-read-timeout: '900'
nginx.ingress.kubernetes.io/proxy-send-timeout: '900'
{{- if $isSecure }}
nginx.ingress.kubernetes.io/backend-protocol: HTTPS
{{- end }}
{{- else if eq .Values.ingress.controller "nginx-ingress" -}}
nginx.org/client-max-body-size: '0'
nginx.org/proxy-buffering: 'False'
nginx.org/proxy-read-timeout: 900s
nginx.org/proxy-send-timeout: 900s
nginx.org/location-snippets: |
  proxy_request_buffering off;
nginx.org/server-snippets: |
  large_client_header_buffers 4 64k;
{{- if $isSecure }}
nginx.org/ssl-services: {{ include "aerugo.fullname" . }}
{{- end }}
{{- else if eq .Values.ingress.controller "haproxy-ingress" -}}
haproxy-ingress.github.io/proxy-body-size: unlimited
haproxy-ingress.github.io/timeout-server: 900s
{{- if $isSecure }}
haproxy-ingress.github.io/backend-protocol: h1-ssl
{{- end }}
{{- else if eq .Values.ingress.controller "aws-load-balancer-controller" -}}
alb.ingress.kubernetes.io/target-type: ip
alb.ingress.kubernetes.io/healthcheck-path: /api/v1/health
alb.ingress.kubernetes.io/load-balancer-attributes: idle_timeout.timeout_seconds=900
{{- if $isSecure }}
alb.ingress.kubernetes.io/backend-protocol: HTTPS
alb.ingress.kubernetes.io/healthcheck-protocol: HTTPS
{{- end }}
{{- end -}}
{{- end }}
