package tracing

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracegrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"dhbot/internal/logging"
)

// Attribute keys of spans.
const (
	CommandKey = attribute.Key("dhbot.command") // the same id as in the log
	RunKey     = attribute.Key("dhbot.run")
	VerbKey    = attribute.Key("dhbot.verb")
	HostKey    = attribute.Key("dhbot.host")
	OutcomeKey = attribute.Key("dhbot.outcome")
)

const (
	scope       = "dhbot"
	serviceName = "dhbot" // unless OTEL_SERVICE_NAME sets another
)

// Start sets the program's tracer from the environment, and returns a function that sends the
// remaining spans and stops the tracer. Without a collector in the environment, Start does
// nothing. getenv is os.Getenv, and version is the program's version. The exporter itself reads
// headers, certificates and more from the process's environment.
func Start(
	ctx context.Context, getenv func(string) string, version string, log *slog.Logger,
) (stop func(context.Context) error, err error) {
	s, err := readSettings(getenv)
	if err != nil || !s.on {
		return func(context.Context) error { return nil }, err
	}
	exporter, err := otlptrace.New(ctx, s.client())
	if err != nil {
		return nil, fmt.Errorf("traces: %w", err)
	}
	named, err := resource.New(ctx,
		resource.WithAttributes(attribute.String("service.name", serviceName), attribute.String("service.version", version)),
		resource.WithTelemetrySDK(), resource.WithFromEnv())
	if err != nil && !errors.Is(err, resource.ErrPartialResource) {
		return nil, fmt.Errorf("traces: %w", err)
	}
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) { log.WarnContext(ctx, "traces were not sent", "err", err) }))
	provider := sdk.NewTracerProvider(sdk.WithBatcher(exporter), sdk.WithResource(named))
	otel.SetTracerProvider(provider)
	return provider.Shutdown, nil
}

// settings decide whether and how traces are sent.
type settings struct {
	on   bool
	grpc bool
}

func (s settings) client() otlptrace.Client {
	if s.grpc {
		return otlptracegrpc.NewClient()
	}
	return otlptracehttp.NewClient()
}

// readSettings reads the settings from the environment. Its error names the invalid variable.
func readSettings(getenv func(string) string) (settings, error) {
	if strings.EqualFold(getenv("OTEL_SDK_DISABLED"), "true") {
		return settings{}, nil
	}
	endpoint := cmp.Or(getenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"), getenv("OTEL_EXPORTER_OTLP_ENDPOINT"))
	var s settings
	switch exporter := getenv("OTEL_TRACES_EXPORTER"); exporter {
	case "":
		s.on = endpoint != ""
	case "otlp":
		s.on = true
	case "none":
	default:
		return s, fmt.Errorf("OTEL_TRACES_EXPORTER=%q: use otlp or none", exporter)
	}
	switch protocol := cmp.Or(getenv("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL"), getenv("OTEL_EXPORTER_OTLP_PROTOCOL")); protocol {
	case "", "http/protobuf":
	case "grpc":
		s.grpc = true
	default:
		return s, fmt.Errorf("OTEL_EXPORTER_OTLP_PROTOCOL=%q: use grpc or http/protobuf", protocol)
	}
	return s, nil
}

// Begin begins a child span of the span in ctx. The caller ends it.
func Begin(ctx context.Context, name string, attrs ...attribute.KeyValue) (context.Context, trace.Span) {
	return otel.Tracer(scope).Start(ctx, name, trace.WithAttributes(attrs...))
}

// beginRoot begins a new trace, linked to the trace of ctx.
func beginRoot(ctx context.Context, name string, attrs ...attribute.KeyValue) (context.Context, trace.Span) {
	linked := trace.WithLinks(trace.LinkFromContext(ctx))
	return otel.Tracer(scope).Start(ctx, name, trace.WithNewRoot(), linked, trace.WithAttributes(attrs...))
}

// BeginCommand begins the trace of one command, and adds the command's id to log lines of the
// context. The caller ends the span.
func BeginCommand(ctx context.Context, id string) (context.Context, trace.Span) {
	return beginRoot(logging.WithCommand(ctx, id), "command", CommandKey.String(id))
}

// BeginRun begins the trace of one run, and adds the run's id to log lines of the context. The
// caller ends the span.
func BeginRun(ctx context.Context, id string) (context.Context, trace.Span) {
	return beginRoot(logging.WithRun(ctx, id), "run", RunKey.String(id))
}

// End ends a span, and marks the span as failed if err is not nil. It does not send the error's
// text, which may quote a host or a person.
func End(span trace.Span, err error) {
	if err != nil {
		span.SetStatus(codes.Error, "")
	}
	span.End()
}
