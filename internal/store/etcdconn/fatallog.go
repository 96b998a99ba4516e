package etcdconn

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"time"

	"go.uber.org/zap/zapcore"
)

// fatalLogHook handles a fatal log message of etcd. Any goroutine of etcd may log such a message,
// and expects that the log call does not return. The hook ends that goroutine and turns the message
// into an error: Open returns it while the server starts; later every call and Run return it. The
// server is then abandoned: one of its goroutines is gone, and its answers are not trusted. A nil
// pointer means a store without an embedded server.
type fatalLogHook struct {
	dir  string
	once sync.Once
	said chan struct{} // closed after text and full are set
	text string
	full bool // the disk is full
}

func newFatalLogHook(dir string) *fatalLogHook {
	return &fatalLogHook{dir: dir, said: make(chan struct{})}
}

// OnWrite implements zapcore.CheckWriteHook.
func (l *fatalLogHook) OnWrite(e *zapcore.CheckedEntry, fields []zapcore.Field) {
	l.once.Do(func() {
		l.text = strings.TrimSpace(fmt.Sprintln(append([]any{e.Message}, attrs(fields)...)...))
		for _, f := range fields {
			if err, ok := f.Interface.(error); ok && errors.Is(err, syscall.ENOSPC) {
				l.full = true
			}
		}
		close(l.said)
	})
	runtime.Goexit()
}

// StoppedError means that the embedded server has failed.
type StoppedError struct {
	Dir      string
	Text     string // etcd's own message
	DiskFull bool
}

func (e *StoppedError) Error() string {
	if e.DiskFull {
		return fmt.Sprintf("the disk of %s is full, and the state store has stopped (%s): free some space, then start the bot again; nothing is lost", e.Dir, e.Text)
	}
	return fmt.Sprintf("the state store in %s has stopped: %s", e.Dir, e.Text)
}

// err is a *StoppedError once the server has failed.
func (l *fatalLogHook) err() error {
	if l == nil {
		return nil
	}
	select {
	case <-l.said:
		return &StoppedError{l.dir, l.text, l.full}
	default:
		return nil
	}
}

// wait returns the *StoppedError, or nil when ctx ends.
func (l *fatalLogHook) wait(ctx context.Context) error {
	if l == nil {
		<-ctx.Done()
		return nil
	}
	select {
	case <-l.said:
		return l.err()
	case <-ctx.Done():
		return nil
	}
}

// stopWithin limits the time to stop a failed server, which may wait forever for goroutines that
// have ended. An incomplete stop does no harm, since the process is about to end.
const stopWithin = 3 * time.Second

// stopServer stops the embedded server.
func (c *Conn) stopServer() error {
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		c.looking.Lock() // never unlocked: see Look
		c.server.Close()
	}()
	if c.last.err() == nil {
		select {
		case <-stopped:
			return nil
		case <-c.last.said: // failed while stopping
		}
	}
	t := time.NewTimer(stopWithin)
	defer t.Stop()
	select {
	case <-stopped:
	case <-t.C:
		c.conf.Log.Warn("the failed state store did not stop in time; it ends with this process")
	}
	return c.last.err()
}
