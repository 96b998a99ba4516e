package tracing_test

import (
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/trace/noop"
	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	"google.golang.org/protobuf/proto"

	"dhbot/internal/tracing"
)

func env(pairs map[string]string) func(string) string {
	return func(name string) string { return pairs[name] }
}

// OpenTelemetry's variables decide whether anything is sent. The error for an invalid variable
// names the variable.
func TestSettings(t *testing.T) {
	for _, c := range []struct {
		env map[string]string
		on  bool
		bad string // the variable that the error names
	}{
		{env: nil},
		{env: map[string]string{"OTEL_SERVICE_NAME": "x"}},
		{env: map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318"}, on: true},
		{env: map[string]string{"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://127.0.0.1:4318/v1/traces"}, on: true},
		{env: map[string]string{"OTEL_TRACES_EXPORTER": "otlp"}, on: true},
		{env: map[string]string{"OTEL_TRACES_EXPORTER": "otlp", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}, on: true},
		{env: map[string]string{"OTEL_TRACES_EXPORTER": "none", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318"}},
		{env: map[string]string{"OTEL_TRACES_EXPORTER": "otlp", "OTEL_SDK_DISABLED": "true"}},
		{env: map[string]string{"OTEL_TRACES_EXPORTER": "jaeger"}, bad: "OTEL_TRACES_EXPORTER"},
		{env: map[string]string{"OTEL_TRACES_EXPORTER": "otlp", "OTEL_EXPORTER_OTLP_PROTOCOL": "http/json"}, bad: "OTEL_EXPORTER_OTLP_PROTOCOL"},
	} {
		otel.SetTracerProvider(noop.NewTracerProvider())
		stop, err := tracing.Start(t.Context(), env(c.env), "v0", slog.New(slog.DiscardHandler))
		if c.bad != "" {
			if err == nil || !strings.Contains(err.Error(), c.bad) {
				t.Errorf("%v: %v does not name %s", c.env, err, c.bad)
			}
			continue
		}
		if err != nil {
			t.Errorf("%v: %v", c.env, err)
			continue
		}
		_, span := tracing.Begin(t.Context(), "x")
		if span.IsRecording() != c.on {
			t.Errorf("%v: recording is %v", c.env, span.IsRecording())
		}
		// The span was not ended, so there is nothing to send to the missing collector.
		if err := stop(t.Context()); err != nil {
			t.Errorf("%v: stopping: %v", c.env, err)
		}
	}
}

// A collector receives the spans with their ids, each below its parent. It receives that a span
// failed, but not the text of the error.
func TestCollector(t *testing.T) {
	received := make(chan *collector.ExportTraceServiceRequest, 1)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil || r.URL.Path != "/v1/traces" {
			t.Errorf("%s: %v", r.URL.Path, err)
		}
		req := new(collector.ExportTraceServiceRequest)
		if err := proto.Unmarshal(body, req); err != nil {
			t.Error(err)
		}
		received <- req
	}))
	defer server.Close()
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", server.URL)
	t.Setenv("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment.name=test")
	stop, err := tracing.Start(t.Context(), os.Getenv, "v1.2.3", slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer otel.SetTracerProvider(noop.NewTracerProvider())
	ctx, command := tracing.BeginCommand(t.Context(), "C-1")
	_, gate := tracing.Begin(ctx, "gate")
	tracing.End(gate, errors.New("alice may not"))
	command.End()
	if err := stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	req := <-received
	all := req.String()
	for _, want := range []string{"dhbot.command", "C-1", "service.name", "dhbot", "v1.2.3", "deployment.environment.name", "STATUS_CODE_ERROR"} {
		if !strings.Contains(all, want) {
			t.Errorf("the collector was not sent %q: %s", want, all)
		}
	}
	if strings.Contains(all, "alice") {
		t.Errorf("the text of an error was sent: %s", all)
	}
	spans := req.ResourceSpans[0].ScopeSpans[0].Spans
	if len(spans) != 2 || string(spans[0].ParentSpanId) != string(spans[1].SpanId) {
		t.Errorf("the gate's span is not below the command's: %v", spans)
	}
}
