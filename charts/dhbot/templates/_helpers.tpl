{{- define "dhbot.name" -}}{{ .Release.Name | trunc 52 | trimSuffix "-" }}{{- end }}

{{- define "dhbot.selector" -}}
app.kubernetes.io/name: dhbot
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "dhbot.labels" -}}
{{ include "dhbot.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{- end }}

{{- define "dhbot.external" -}}{{ if dig "state" "etcd" false .Values.config }}true{{ end }}{{- end }}

{{- define "dhbot.config" -}}
{{- $state := dict "dir" "/var/lib/dhbot" -}}
{{- if not (or (include "dhbot.external" .) (dig "state" "key_file" "" .Values.config)) -}}
{{- $_ := set $state "key_file" "/var/lib/dhbot-key/state.key" -}}
{{- end -}}
{{- if include "dhbot.external" . -}}
{{- $_ := set $state "notes_dir" "/var/lib/dhbot-notes" -}}
{{- end -}}
{{- $added := dict "state" $state "metrics" (dict "listen" "0.0.0.0:9095") -}}
{{- mergeOverwrite (deepCopy .Values.config) $added | toYaml }}
{{- end }}

{{- define "dhbot.check" -}}
{{- if not .Values.config }}{{ fail "config is empty: write the bot's config file here (docs/config.md)" }}{{ end }}
{{- if not .Values.existingSecret }}{{ fail "existingSecret is empty: name the Secret with the tokens and the SSH key" }}{{ end }}
{{- if and (gt (int .Values.replicas) 1) (not (include "dhbot.external" .)) }}{{ fail "several replicas need a shared etcd: name it in config.state.etcd" }}{{ end }}
{{- if and (include "dhbot.external" .) (not (dig "state" "key_file" "" .Values.config)) }}{{ fail "config.state.key_file is empty: replicas that share an etcd need a shared key; put the file that `bot state key` created into the Secret, and write its path here, /etc/dhbot/secret/KEY" }}{{ end }}
{{- if gt (int .Values.replicas) 4 }}{{ fail "at most four replicas: Slack allows ten sockets, and each replica opens two" }}{{ end }}
{{- end }}
