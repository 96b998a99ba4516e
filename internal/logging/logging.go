// Package logging makes the bot's log: its level and format, and the ids of
// the command and the run that a line belongs to.
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

// Options are how a log is written.
type Options struct {
	Level  string // debug, info, warn or error
	Format string // JSON or Text
}

// New returns a logger that adds what With put into a line's context. Its
// error names the option that is wrong and what to write instead.
func New(w io.Writer, o Options) (*slog.Logger, error) {
	var level slog.Level
	if !slices.Contains([]string{"debug", "info", "warn", "error"}, strings.ToLower(o.Level)) {
		return nil, fmt.Errorf("--log-level %q: want debug, info, warn or error", o.Level)
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
		return nil, fmt.Errorf("--log-format %q: want json or text", o.Format)
	}
}

// Keys of the ids that every line of a command or run carries.
const (
	CommandKey = "command"
	RunKey     = "run"
)

// WithCommand marks everything logged under ctx as part of one command.
func WithCommand(ctx context.Context, id string) context.Context { return with(ctx, CommandKey, id) }

// WithRun marks everything logged under ctx as part of one run.
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

// handler adds the ids of a line's context, unless the line names them itself.
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
