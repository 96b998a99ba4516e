package demo_test

import (
	"context"
	"io"
	"slices"
	"strings"
	"testing"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace/noop"

	"dhbot/internal/sim/demo"
	"dhbot/internal/tracing"
)

// A command is one trace, from the arrival of its envelope to the reply. The run that it starts
// is another trace, with a span for each command that the bot sends. Neither trace contains text
// that users wrote.
func TestTraces(t *testing.T) {
	spans := tracetest.NewInMemoryExporter()
	otel.SetTracerProvider(sdk.NewTracerProvider(sdk.WithSyncer(spans)))
	t.Cleanup(func() { otel.SetTracerProvider(noop.NewTracerProvider()) })
	lines, err := demo.ParseScript(strings.NewReader("operator: /dh restart db_ltds because heap was full\nexpect 90s Done\noperator: /dh logs db_ltds\nexpect db_ltds\n"))
	if err != nil {
		t.Fatal(err)
	}
	o := demo.Options{Generation: "current", Pace: 0.1, Log: warnings(t)}
	err = demo.Run(t.Context(), o, func(ctx context.Context, d *demo.Demo) error {
		stage := d.Stage()
		stage.Out = io.Discard
		return demo.Play(ctx, stage, lines)
	})
	if err != nil {
		t.Fatal(err)
	}
	below := map[string][]string{} // root span and its id attribute → names below
	roots := map[string]string{}
	for _, s := range spans.GetSpans() {
		if !s.Parent.IsValid() && (s.Name == "command" || s.Name == "run") {
			roots[s.SpanContext.TraceID().String()] = s.Name
			if len(s.Attributes) != 1 || s.Attributes[0].Value.AsString() == "" {
				t.Errorf("a %s has no id: %v", s.Name, s.Attributes)
			}
		}
		for _, a := range s.Attributes {
			if strings.Contains(a.Value.String(), "heap") {
				t.Errorf("span %s contains the reason: %v", s.Name, a)
			}
		}
	}
	for _, s := range spans.GetSpans() {
		if root, ok := roots[s.SpanContext.TraceID().String()]; ok && s.Parent.IsValid() {
			below[root] = append(below[root], s.Name)
			if s.Name == "ssh" && !slices.ContainsFunc(s.Attributes, func(a attribute.KeyValue) bool { return a.Key == tracing.HostKey && a.Value.AsString() != "" }) {
				t.Errorf("an ssh span names no host: %v", s.Attributes)
			}
		}
	}
	for root, want := range map[string][]string{
		"command": {"claim", "parse", "gate", "plan", "ssh", "record", "post"},
		"run":     {"ssh", "record"},
	} {
		for _, name := range want {
			if !slices.Contains(below[root], name) {
				t.Errorf("no span %q below a %s; there are %v", name, root, slices.Compact(slices.Sorted(slices.Values(below[root]))))
			}
		}
	}
}
