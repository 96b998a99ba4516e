package etcdstore

import (
	"context"
	"log/slog"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// newZap gives etcd a logger that writes to ours: warnings and worse, since
// etcd's information is for people who run an etcd.
func newZap(log *slog.Logger, options ...zap.Option) *zap.Logger {
	return zap.New(zapCore{log}, options...)
}

// zapCore is a zapcore.Core upon slog.
type zapCore struct{ log *slog.Logger }

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
	c.log.Log(context.Background(), level(e.Level), "etcd: "+e.Message, attrs(fields)...)
	return nil
}

func (zapCore) Sync() error { return nil }

func level(l zapcore.Level) slog.Level {
	if l >= zapcore.ErrorLevel {
		return slog.LevelError
	}
	return slog.LevelWarn
}

func attrs(fields []zapcore.Field) []any {
	enc := zapcore.NewMapObjectEncoder()
	out := make([]any, 0, len(fields))
	for _, f := range fields {
		f.AddTo(enc)
		out = append(out, slog.Any(f.Key, enc.Fields[f.Key]))
	}
	return out
}
