package metrics

import (
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
)

// Metrics holds the metrics of the bot. The bot makes new Metrics at its start, and when it loads a
// new config.
type Metrics struct {
	registry *prometheus.Registry

	ack, answer, approval prometheus.Histogram
	slackRequests         *prometheus.CounterVec
	rateLimited           *prometheus.CounterVec
	runsEnded             *prometheus.CounterVec
	sshDials              *prometheus.CounterVec
	sshCommands           *prometheus.CounterVec
	sshDuration           prometheus.Histogram
	storeDuration         *prometheus.HistogramVec
	storeErrors           *prometheus.CounterVec
	leads                 prometheus.Gauge
	severity              *prometheus.GaugeVec
	assessed              *prometheus.GaugeVec
}

// Build describes the binary.
type Build struct{ Version, Commit, Go string }

const namespace = "dhbot_"

// short has the histogram buckets, in seconds, for durations that people wait for.
var short = []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60}

// New makes the Metrics and registers all of them. Every counter starts at zero.
func New(build Build, configHash string) *Metrics {
	m := &Metrics{
		registry: prometheus.NewRegistry(),
		ack:      histogram("slack_ack_duration_seconds", "Time from the arrival of an envelope to its acknowledgement.", short),
		answer:   histogram("slack_answer_duration_seconds", "Time from the arrival of an envelope to the first answer that Slack accepted.", short),
		approval: histogram("approval_wait_seconds", "Time from a request to the approval that let it run.",
			[]float64{5, 15, 30, 60, 120, 300, 600, 900, 1800, 3600}),
		slackRequests: counter("slack_requests_total", "Calls of Slack's Web API, by method and HTTP status.", "method", "code"),
		rateLimited:   counter("slack_rate_limited_total", "Calls that Slack refused because of its rate limits.", "method"),
		runsEnded:     counter("runs_ended_total", "Runs whose end this replica stored, by outcome.", "outcome"),
		sshDials:      counter("ssh_dials_total", "SSH connections attempted, by host and result (ok or failed).", "cluster", "host", "result"),
		sshCommands:   counter("ssh_commands_total", "Commands, by host and outcome; sent is false if the command was never sent.", "cluster", "host", "outcome"),
		sshDuration: histogram(
			"ssh_command_duration_seconds", "Duration of commands on hosts.", []float64{.01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60, 300},
		),
		storeDuration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: namespace + "store_operation_duration_seconds", Help: "Duration of calls of the state store.", Buckets: short,
		}, []string{"operation"}),
		storeErrors: counter("store_errors_total", "Calls that the state store did not answer.", "operation"),
		leads:       prometheus.NewGauge(prometheus.GaugeOpts{Name: namespace + "leader", Help: "1 while this replica leads: it updates messages, posts the audit trail, monitors and escalates."}),
		severity: gauge("process_severity", "Severity by the incident key, from the last round of the background monitoring: 0 none, 1 critical, 2 moderate, 3 low, -1 unknown.",
			"cluster", "host", "process"),
		assessed: gauge("cluster_assessed_timestamp_seconds", "When the background monitoring last finished a round of a cluster.", "cluster"),
	}
	m.registry.MustRegister(
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		m.ack, m.answer, m.approval, m.slackRequests, m.rateLimited, m.runsEnded, m.sshDials, m.sshCommands, m.sshDuration,
		m.storeDuration, m.storeErrors, m.leads, m.severity, m.assessed,
		info(
			"build_info", "Version and commit of this binary.", prometheus.Labels{
				"version":   build.Version,
				"commit":    build.Commit,
				"goversion": build.Go,
			},
		),
		info("config_info", "The SHA-256 of the config in use, which must be the same on all replicas.", prometheus.Labels{"hash": configHash}),
	)
	return m
}

func histogram(name, help string, buckets []float64) prometheus.Histogram {
	return prometheus.NewHistogram(prometheus.HistogramOpts{Name: namespace + name, Help: help, Buckets: buckets})
}

func counter(name, help string, labels ...string) *prometheus.CounterVec {
	return prometheus.NewCounterVec(prometheus.CounterOpts{Name: namespace + name, Help: help}, labels)
}

func gauge(name, help string, labels ...string) *prometheus.GaugeVec {
	return prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: namespace + name, Help: help}, labels)
}

// info returns a gauge that is always 1. Its information is in its labels.
func info(name, help string, labels prometheus.Labels) prometheus.Collector {
	g := prometheus.NewGauge(prometheus.GaugeOpts{Name: namespace + name, Help: help, ConstLabels: labels})
	g.Set(1)
	return g
}

// Acked records how long it took to acknowledge an envelope from Slack.
func (m *Metrics) Acked(took time.Duration) { m.ack.Observe(took.Seconds()) }

// Answered records how long a person waited for the first answer to a command.
func (m *Metrics) Answered(took time.Duration) { m.answer.Observe(took.Seconds()) }

// Approved records how long a run waited for its approval.
func (m *Metrics) Approved(waited time.Duration) { m.approval.Observe(waited.Seconds()) }

// SlackCalled counts a call of Slack's Web API. The status is 0 if Slack did not answer.
func (m *Metrics) SlackCalled(method string, status int) {
	code := "none"
	if status > 0 {
		code = strconv.Itoa(status)
	}
	m.slackRequests.WithLabelValues(method, code).Inc()
	if status == 429 {
		m.rateLimited.WithLabelValues(method).Inc()
	}
}

// RunEnded counts a run that has ended.
func (m *Metrics) RunEnded(outcome string) { m.runsEnded.WithLabelValues(outcome).Inc() }

// Host is a host of the config.
type Host struct{ Cluster, Name string }

// SSHDialled counts an attempt to connect to a host.
func (m *Metrics) SSHDialled(h Host, ok bool) {
	result := "failed"
	if ok {
		result = "ok"
	}
	m.sshDials.WithLabelValues(h.Cluster, h.Name, result).Inc()
}

// SSHCommanded records the outcome and the duration of a command for a host. It also counts
// commands that were never sent.
func (m *Metrics) SSHCommanded(h Host, outcome string, took time.Duration) {
	m.sshCommands.WithLabelValues(h.Cluster, h.Name, outcome).Inc()
	m.sshDuration.Observe(took.Seconds())
}

// StoreCalled records a call of the state store. The argument down means that the store was not
// available.
func (m *Metrics) StoreCalled(operation string, took time.Duration, down bool) {
	m.storeDuration.WithLabelValues(operation).Observe(took.Seconds())
	if down {
		m.storeErrors.WithLabelValues(operation).Inc()
	}
}

// Leads sets whether this replica leads. Only the leader monitors processes and exports metrics
// about them.
func (m *Metrics) Leads(yes bool) {
	m.severity.Reset()
	m.assessed.Reset()
	m.leads.Set(0)
	if yes {
		m.leads.Set(1)
	}
}

// Assessment is what the background monitoring found out about one process on one host.
type Assessment struct {
	Host, Process string
	Severity      int // 0 to 3, or -1 for unknown
}

// Assessed replaces all earlier assessments of a cluster.
func (m *Metrics) Assessed(cluster string, list []Assessment, at time.Time) {
	m.severity.DeletePartialMatch(prometheus.Labels{"cluster": cluster})
	for _, a := range list {
		m.severity.WithLabelValues(cluster, a.Host, a.Process).Set(float64(a.Severity))
	}
	m.assessed.WithLabelValues(cluster).Set(float64(at.Unix()))
}
