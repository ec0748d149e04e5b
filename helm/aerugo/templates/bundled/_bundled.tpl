{{/*
A server for a trial: one pod, one volume, no backup, no failover.
Argument: (dict "root" $ "part" name "port" number "mount" path "container" YAML of what is special)
*/}}
{{- define "aerugo.bundled" -}}
{{- $root := .root -}}
{{- $values := (get $root.Values .part).bundled -}}
{{- $name := printf "%s-%s" (include "aerugo.fullname" $root) .part -}}
apiVersion: v1
kind: Service
metadata:
  name: {{ $name }}
  labels:
    {{- include "aerugo.labels" (list $root .part) | nindent 4 }}
spec:
  {{- include "aerugo.ipFamilies" $root | nindent 2 }}
  ports:
    - name: {{ .part }}
      port: {{ .port }}
      targetPort: {{ .part }}
  selector:
    {{- include "aerugo.selectorLabels" (list $root .part) | nindent 4 }}
---
apiVersion: apps/v1
kind: StatefulSet
metadata:
  name: {{ $name }}
  labels:
    {{- include "aerugo.labels" (list $root .part) | nindent 4 }}
spec:
  replicas: 1
  serviceName: {{ $name }}
  selector:
    matchLabels:
      {{- include "aerugo.selectorLabels" (list $root .part) | nindent 6 }}
  template:
    metadata:
      # No label that changes with the chart: these pods stay up over an upgrade.
      labels:
        {{- include "aerugo.selectorLabels" (list $root .part) | nindent 8 }}
    spec:
      automountServiceAccountToken: false
      enableServiceLinks: false
      {{- include "aerugo.imagePullSecrets" $root | nindent 6 }}
      securityContext:
        runAsNonRoot: true
        runAsUser: {{ $values.uid }}
        runAsGroup: {{ $values.uid }}
        fsGroup: {{ $values.uid }}
        seccompProfile:
          type: RuntimeDefault
      {{- include "aerugo.placement" $root | nindent 6 }}
      containers:
        - name: {{ .part }}
          image: {{ $values.image }}
          imagePullPolicy: IfNotPresent
          {{- .container | nindent 10 }}
          ports:
            - name: {{ .part }}
              containerPort: {{ .port }}
          readinessProbe:
            tcpSocket:
              port: {{ .part }}
            periodSeconds: 5
          resources:
            {{- toYaml $values.resources | nindent 12 }}
          securityContext:
            allowPrivilegeEscalation: false
            readOnlyRootFilesystem: true
            capabilities:
              drop: [ALL]
          volumeMounts:
            - name: data
              mountPath: {{ .mount }}
            - name: run
              mountPath: /var/run/postgresql
            - name: tmp
              mountPath: /tmp
      volumes:
        - name: run
          emptyDir: {}
        - name: tmp
          emptyDir: {}
  volumeClaimTemplates:
    - metadata:
        name: data
      spec:
        accessModes: [ReadWriteOnce]
        {{- with $values.storageClassName }}
        storageClassName: {{ . }}
        {{- end }}
        resources:
          requests:
            storage: {{ $values.size }}
{{- end }}
