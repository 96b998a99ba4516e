package logging

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
)

// Formats of a log.
const (
	JSON = "json"
	Text = "text"
)

// Options configure a log.
type Options struct {
	Level  string // debug, info, warn or error
	Format string // JSON or Text
}

// New returns a logger that adds the ids in the context (see WithCommand, WithRun) to each line.
// The error names the invalid option and says how to fix it.
func New(w io.Writer, o Options) (*slog.Logger, error) {
	var level slog.Level
	if !slices.Contains([]string{"debug", "info", "warn", "error"}, strings.ToLower(o.Level)) {
		return nil, fmt.Errorf("--log-level %q: use debug, info, warn or error", o.Level)
	}
	if err := level.UnmarshalText([]byte(o.Level)); err != nil {
		return nil, err
	}
	ho := &slog.HandlerOptions{Level: level}
	switch o.Format {
	case JSON:
		return slog.New(handler{slog.NewJSONHandler(w, ho)}), nil
	case Text:
		return slog.New(handler{slog.NewTextHandler(w, ho)}), nil
	default:
		return nil, fmt.Errorf("--log-format %q: use json or text", o.Format)
	}
}

// These keys hold the ids of the command and the run in a log line.
const (
	CommandKey = "command"
	RunKey     = "run"
)

// WithCommand returns a context that adds a command's id to the log lines written with it. If the
// id is "", it returns ctx.
func WithCommand(ctx context.Context, id string) context.Context { return with(ctx, CommandKey, id) }

// WithRun returns a context that adds a run's id to the log lines written with it. If the id is "",
// it returns ctx.
func WithRun(ctx context.Context, id string) context.Context { return with(ctx, RunKey, id) }

type contextKey struct{}

func with(ctx context.Context, key, id string) context.Context {
	if id == "" {
		return ctx
	}
	known := attrs(ctx)
	out := make([]slog.Attr, 0, len(known)+1)
	for _, a := range known {
		if a.Key != key {
			out = append(out, a)
		}
	}
	return context.WithValue(ctx, contextKey{}, append(out, slog.String(key, id)))
}

func attrs(ctx context.Context) []slog.Attr {
	list, _ := ctx.Value(contextKey{}).([]slog.Attr)
	return list
}

// handler adds the ids in the context to each log line that lacks them.
type handler struct{ slog.Handler }

// Handle implements slog.Handler.
func (h handler) Handle(ctx context.Context, r slog.Record) error {
	named := map[string]bool{}
	r.Attrs(func(a slog.Attr) bool {
		named[a.Key] = true
		return true
	})
	for _, a := range attrs(ctx) {
		if !named[a.Key] {
			r.AddAttrs(a)
		}
	}
	return h.Handler.Handle(ctx, r)
}

// WithAttrs implements slog.Handler.
func (h handler) WithAttrs(a []slog.Attr) slog.Handler { return handler{h.Handler.WithAttrs(a)} }

// WithGroup implements slog.Handler.
func (h handler) WithGroup(name string) slog.Handler { return handler{h.Handler.WithGroup(name)} }
