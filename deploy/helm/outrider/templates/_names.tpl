{{- define "outrider.name" -}}
{{- if contains "outrider" .Release.Name }}{{ .Release.Name | trunc 40 | trimSuffix "-" }}{{ else }}{{ printf "%s-outrider" .Release.Name | trunc 40 | trimSuffix "-" }}{{ end }}
{{- end }}

{{- define "outrider.selector" -}}
app.kubernetes.io/name: outrider
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "outrider.labels" -}}
{{ include "outrider.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end }}

{{- define "outrider.account" -}}
{{- if .Values.serviceAccount.create }}{{ .Values.serviceAccount.name | default (include "outrider.name" .) }}{{ else }}{{ .Values.serviceAccount.name | default "default" }}{{ end }}
{{- end }}

{{- define "outrider.secret" -}}
{{ .Values.secrets.existing | default (include "outrider.name" .) }}
{{- end }}

{{/* The processes of the hub: name, target, port, scheme, and whether people or agents reach them. */}}
{{- define "outrider.processes" -}}
{{- $outside := ternary "HTTP" "HTTPS" (eq .Values.tls.mode "plain") -}}
{{- if eq .Values.mode "all" }}
- { name: hub, target: all, port: 8080, scheme: {{ $outside }}, people: true, agents: true }
{{- else }}
{{- $own := eq .Values.tls.mode "own" }}
{{- range $name, $one := .Values.services }}
{{- if eq $name "gateway" }}
- { name: gateway, target: {{ ternary "'gateway,ingest'" "gateway" $own }}, port: {{ $one.port }}, scheme: {{ $outside }}, people: true, agents: false }
{{- else }}
- { name: {{ $name }}, target: {{ $name }}, port: {{ $one.port }}, scheme: HTTP, people: false, agents: {{ eq $name "ingest" }} }
{{- end }}
{{- end }}
{{- end }}
{{- end }}

{{/* What may differ from one service to another. */}}
{{- define "outrider.own" -}}
{{- $own := dict }}
{{- if eq .root.Values.mode "targets" }}{{ $own = index .root.Values.services .process.name }}{{ end }}
{{- $given := dict "replicas" .root.Values.replicas "resources" .root.Values.resources "autoscaling" .root.Values.autoscaling }}
{{- toYaml (mergeOverwrite (deepCopy $given) (deepCopy $own)) }}
{{- end }}

{{/* True when a pod keeps its data itself. */}}
{{- define "outrider.keeps" -}}
{{- $s := .Values.settings }}
{{- $keeps := false }}
{{- range list "relational" "series" "logstore" }}
{{- if eq (dig . "adapter" "embedded" $s) "embedded" }}{{ $keeps = true }}{{ end }}
{{- end }}
{{- if $keeps }}true{{ end }}
{{- end }}

{{- define "outrider.settings" -}}
{{- $name := include "outrider.name" . }}
{{- $worked := dict "listen" "0.0.0.0" "advertise" .Values.advertise "peers" (dict "secretFile" "/run/secrets/outrider/peers") "ingest" (dict "port" .Values.agents.port) }}
{{- if eq .Values.mode "targets" }}
{{- $addresses := dict }}
{{- range $service, $one := .Values.services }}
{{- $scheme := ternary "https" "http" (and (eq $service "gateway") (ne $.Values.tls.mode "plain")) }}
{{- $_ := set $addresses $service (list (printf "%s://%s-%s:%v" $scheme $name $service $one.port)) }}
{{- end }}
{{- $_ := set $worked.peers "addresses" $addresses }}
{{- end }}
{{- /* A process that is not the door cannot know where people find it. */}}
{{- if .Values.web.ingress.enabled }}
{{- $_ := set $worked "url" (printf "%s://%s" (ternary "https" "http" (ne .Values.web.ingress.tlsSecret "")) .Values.web.ingress.host) }}
{{- else if and .Values.advertise (eq .Values.mode "targets") }}
{{- $_ := set $worked "url" (printf "%s://%s:%v" (ternary "http" "https" (eq .Values.tls.mode "plain")) .Values.advertise .Values.services.gateway.port) }}
{{- end }}
{{- toYaml (mergeOverwrite $worked (deepCopy .Values.settings)) }}
{{- end }}
