package etcdconn

import (
	"context"
	"log/slog"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// newZap returns a logger for etcd that writes to ours. It logs etcd's warnings as debug messages,
// because they are for administrators of etcd, and drops everything below a warning.
func newZap(log *slog.Logger, options ...zap.Option) *zap.Logger {
	return zap.New(zapCore{log}, options...)
}

// zapCore is a zapcore.Core that writes to slog.
type zapCore struct{ log *slog.Logger }

// Enabled implements zapcore.LevelEnabler.
func (c zapCore) Enabled(l zapcore.Level) bool {
	return l >= zapcore.WarnLevel && c.log.Enabled(context.Background(), level(l))
}

func (c zapCore) With(fields []zapcore.Field) zapcore.Core {
	return zapCore{c.log.With(attrs(fields)...)}
}

func (c zapCore) Check(e zapcore.Entry, ce *zapcore.CheckedEntry) *zapcore.CheckedEntry {
	if c.Enabled(e.Level) {
		return ce.AddCore(e, c)
	}
	return ce
}

func (c zapCore) Write(e zapcore.Entry, fields []zapcore.Field) error {
	l := level(e.Level)
	if harmless[e.Message] {
		l = slog.LevelDebug
	}
	c.log.Log(context.Background(), l, "etcd: "+e.Message, attrs(fields)...)
	return nil
}

func (zapCore) Sync() error { return nil }

func level(l zapcore.Level) slog.Level {
	if l >= zapcore.ErrorLevel {
		return slog.LevelError
	}
	return slog.LevelDebug
}

// harmless are error messages of etcd without consequences for the bot. etcd logs "failed to update
// storage version" for every new state directory: before the first snapshot it cannot determine the
// version, and retries.
var harmless = map[string]bool{"failed to update storage version": true}

func attrs(fields []zapcore.Field) []any {
	enc := zapcore.NewMapObjectEncoder()
	out := make([]any, 0, len(fields))
	for _, f := range fields {
		f.AddTo(enc)
		out = append(out, slog.Any(f.Key, enc.Fields[f.Key]))
	}
	return out
}
