package sshexec

import (
	"context"
	"encoding/binary"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/crypto/ssh"
)

// drainTime is how long the pool waits for output after the exit code. The rest of the command's
// output arrives at once, but a child process may keep the stream open forever.
const drainTime = 2 * time.Second

// end says why the wait for a session ended.
type end uint8

const (
	finished  end = iota // the channel is closed on both sides
	lingering            // the exit code is known, but the output is still open
	overtime
	cancelled
	flooded
	wroteMore // there is new output
)

// session is one command on one channel.
type session struct {
	channel        ssh.Channel
	stdout, stderr *capture
	stopBytes      int64
	written        atomic.Int64

	tooMuch chan struct{} // closed when more than stopBytes were written
	wrote   chan struct{} // receives a value after a write; nil if no one follows the output
	exited  chan struct{} // closed when the exit code or signal has arrived
	done    chan struct{} // closed when everything has ended

	// Set before exited is closed.
	exit   *uint32
	signal string
	// Set before done is closed.
	refused bool // the server reported that it did not start the command
}

func newSession(channel ssh.Channel, keep int, stop int64) *session {
	return &session{
		channel: channel, stdout: &capture{keep: keep}, stderr: &capture{keep: keep}, stopBytes: stop,
		tooMuch: make(chan struct{}), exited: make(chan struct{}), done: make(chan struct{}),
	}
}

// run sends the command, and returns when both sides have closed the channel. It reads requests and
// output all the time, because unread data could block the whole connection.
func (s *session) run(sent string, requests <-chan *ssh.Request) {
	var wg sync.WaitGroup
	wg.Go(func() { s.watch(requests) })
	wg.Go(func() { s.drain(s.channel, s.stdout) })
	wg.Go(func() { s.drain(s.channel.Stderr(), s.stderr) })
	started, err := s.channel.SendRequest("exec", true, ssh.Marshal(struct{ Command string }{sent}))
	if err == nil && started {
		_ = s.channel.CloseWrite() // standard input is empty; a lost connection is detected elsewhere
	} else {
		s.refused = err == nil
		s.channel.Close()
	}
	wg.Wait()
	close(s.done)
}

// watch handles the server's requests on the channel, until the channel is closed.
func (s *session) watch(requests <-chan *ssh.Request) {
	var once sync.Once
	for r := range requests {
		switch r.Type {
		case "exit-status":
			if len(r.Payload) == 4 {
				once.Do(func() {
					code := binary.BigEndian.Uint32(r.Payload)
					s.exit = &code
					close(s.exited)
				})
			}
		case "exit-signal":
			var m struct {
				Signal     string
				CoreDumped bool
				Message    string
				Language   string
			}
			if ssh.Unmarshal(r.Payload, &m) == nil {
				once.Do(func() {
					s.signal = signalName(m.Signal)
					close(s.exited)
				})
			}
		default:
			if r.WantReply {
				_ = r.Reply(false, nil) // servers also use this as a keep-alive
			}
		}
	}
}

// The read buffer grows from leastRead, because most commands print little, to mostRead, the size
// of a packet.
const (
	leastRead = 2 << 10
	mostRead  = 32 << 10
)

// drain reads a stream to its end, so that the host is never blocked. It stores the output in to.
func (s *session) drain(from io.Reader, to *capture) {
	buf := make([]byte, leastRead)
	for {
		n, err := from.Read(buf)
		_, _ = to.Write(buf[:n])
		after := s.written.Add(int64(n))
		if before := after - int64(n); before <= s.stopBytes && after > s.stopBytes {
			close(s.tooMuch)
		}
		select {
		case s.wrote <- struct{}{}:
		default:
		}
		if err != nil {
			return
		}
		if n == len(buf) && n < mostRead {
			buf = make([]byte, 2*n)
		}
	}
}

// await waits until the command ends, or until there is a reason to stop waiting.
func (s *session) await(ctx context.Context, limit time.Duration) end {
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case <-s.done:
		return finished
	case <-s.exited:
		return s.awaitOutput()
	case <-s.tooMuch:
		return flooded
	case <-s.wrote:
		return wroteMore
	case <-timer.C:
		return s.unless(overtime)
	case <-ctx.Done():
		return s.unless(cancelled)
	}
}

// awaitOutput waits for the rest of the output after a command has ended.
func (s *session) awaitOutput() end {
	timer := time.NewTimer(drainTime)
	defer timer.Stop()
	select {
	case <-s.done:
		return finished
	case <-s.tooMuch:
		return lingering
	case <-timer.C:
		return lingering
	}
}

// unless returns e, a reason to stop waiting. But if the command has just ended, it returns that
// end instead.
func (s *session) unless(e end) end {
	select {
	case <-s.done:
		return finished
	case <-s.exited:
		return s.awaitOutput()
	default:
		return e
	}
}

// signalName returns a signal's name as the host sent it, or "other" if it is not a known name.
func signalName(s string) string {
	switch ssh.Signal(s) {
	case ssh.SIGABRT, ssh.SIGALRM, ssh.SIGFPE, ssh.SIGHUP, ssh.SIGILL, ssh.SIGINT, ssh.SIGKILL,
		ssh.SIGPIPE, ssh.SIGQUIT, ssh.SIGSEGV, ssh.SIGTERM, ssh.SIGUSR1, ssh.SIGUSR2:
		return s
	default:
		return "other"
	}
}
