// Package tracing sends OpenTelemetry traces. Each command has a trace, from its envelope to the
// reply, and each run has one. It is off unless the environment names a collector, with the
// variables of the OpenTelemetry specification ("Environment Variable Specification" and "OTLP
// Exporter").
//
// Spans have ids and names of hosts, processes and verbs, but never text of people or output of
// hosts.
package tracing
