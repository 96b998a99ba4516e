package sshexec

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"golang.org/x/crypto/ssh"

	"dhbot/internal/remote"
)

const (
	// killAfter is the time between TERM and KILL for a command that runs too long. The wrapper in
	// Command.Sent ("timeout -k 5 N") sends both signals.
	killAfter = 5 * time.Second
	// grace is how much longer than the wrapper the pool waits for the end of a command.
	grace = 5 * time.Second
	// closeTime is how long a server may take to confirm that a channel is closed. After that, the
	// connection is no longer used for commands.
	closeTime = 2 * time.Second
	// openTime is how long a server may take to open a channel.
	openTime = 5 * time.Second
	// maxOpens is how many dead connections a command tries before it fails.
	maxOpens = 3
)

// These are the exit codes of timeout(1) if it ended a command, with TERM or with KILL.
const (
	exitTimeout = 124
	exitKilled  = 137
)

// Run implements remote.Runner. It sends the command once or not at all, and determines the
// outcome. In the result, Started is when the command was sent. If it was not sent, Started is when
// Run was called.
func (p *Pool) Run(ctx context.Context, c remote.Command) remote.Result {
	return told(c, p.run(ctx, c))
}

// told classifies a result, and completes its detail and its end time.
func told(c remote.Command, r remote.Result) remote.Result {
	r = remote.Classify(c, r)
	if r.Outcome == remote.Answered {
		r.Detail = ""
	} else {
		r.Detail = c.Host + ": " + r.Detail
	}
	r.Ended = time.Now()
	return r
}

func (p *Pool) run(ctx context.Context, c remote.Command) remote.Result {
	if c.Timeout <= 0 {
		return unsent(&failure{outcome: remote.NoOutcome, text: "the command has no time limit"})
	}
	if !p.begin() {
		return unsent(errClosed)
	}
	defer p.wg.Done()
	began := time.Now()
	conn, channel, requests, err := p.open(ctx, keyOf(c))
	if err != nil {
		r := unsent(err)
		r.Started = began
		return r
	}
	return p.execute(ctx, conn, channel, requests, c)
}

// unsent returns the result of a command that was not sent.
func unsent(f *failure) remote.Result {
	return remote.Result{Outcome: f.outcome, Detail: f.text + "; the command was not sent", Started: time.Now()}
}

// open opens a channel for a command. The command has not been sent yet, so open may try several
// connections: it replaces dead connections, and skips full connections.
func (p *Pool) open(ctx context.Context, k key) (*conn, ssh.Channel, <-chan *ssh.Request, *failure) {
	wait, cancel := context.WithTimeout(ctx, slotWait)
	defer cancel()
	var lastErr error
	for dead := 0; dead < maxOpens; {
		c, err := p.acquire(wait, k)
		if err != nil {
			return nil, nil, nil, waitFailure(ctx, k, err)
		}
		channel, requests, err := p.openChannel(wait, c)
		var refused *ssh.OpenChannelError
		switch {
		case err == nil && c.noise.Load() != nil:
			return c, channel, requests, nil
		case err == nil: // a new connection: check its shell, then open a channel for the command
			if f := p.proveShell(wait, c, channel, requests); f != nil {
				return nil, nil, nil, f
			}
			continue
		case errors.As(err, &refused):
			if !p.crowded(c, refused) {
				dead++
				err = fmt.Errorf("the host opens no session, perhaps because of its MaxSessions: %w", refused)
			}
		case wait.Err() != nil:
			return nil, nil, nil, waitFailure(ctx, k, wait.Err())
		default:
			dead++
		}
		lastErr = err
	}
	return nil, nil, nil, &failure{outcome: remote.Unreachable, text: fmt.Sprintf("%s accepts the login and then runs no command: %v", k.address, lastErr)}
}

// openChannel opens a channel on a connection. If it fails without a refusal by the server, it
// retires the connection and gives the session back.
func (p *Pool) openChannel(ctx context.Context, c *conn) (ssh.Channel, <-chan *ssh.Request, error) {
	type answer struct {
		channel  ssh.Channel
		requests <-chan *ssh.Request
		err      error
	}
	answered, abandoned := make(chan answer), make(chan struct{})
	defer close(abandoned)
	// Nothing waits for this goroutine, because the call may never return: the library loses a
	// channel that is opened at the moment when the connection ends.
	go func() {
		channel, requests, err := c.client.OpenChannel("session", nil)
		select {
		case answered <- answer{channel, requests, err}:
		case <-abandoned:
			if err == nil {
				channel.Close()
				ssh.DiscardRequests(requests)
			}
		}
	}()
	timer := time.NewTimer(openTime)
	defer timer.Stop()
	var err error
	select {
	case a := <-answered:
		c.wire.opened.Store(true)
		if a.err == nil || errors.As(a.err, new(*ssh.OpenChannelError)) {
			return a.channel, a.requests, a.err
		}
		err = a.err
	case <-c.ended:
		err = net.ErrClosed
	case <-timer.C:
		err = errSilent
	case <-ctx.Done():
		err = ctx.Err() // the connection may be alive, but is too slow
	}
	p.retire(c, err)
	p.release(c)
	return nil, nil, err
}

// execute sends the command and determines its result.
func (p *Pool) execute(ctx context.Context, k *conn, channel ssh.Channel, requests <-chan *ssh.Request, c remote.Command) remote.Result {
	s := newSession(channel, p.cfg.KeepBytes, p.cfg.StopBytes)
	p.count(1)
	started := time.Now()
	p.wg.Go(func() { s.run(c.Sent, requests) })
	why := s.await(ctx, c.Timeout+killAfter+grace)
	r := remote.Result{Started: started, Stdout: s.stdout.output(), Stderr: s.stderr.output()}
	if noise := k.noise.Load(); noise != nil {
		withoutNoise(&r, *noise)
	}
	switch why {
	case finished, lingering:
		s.settle(&r, c, why == finished && k.wire.broken.Load())
	default:
		p.unseen(ctx, &r, c, why)
	}
	if why == finished {
		p.finish(k, s)
	} else {
		p.wg.Go(func() { p.finish(k, s) })
	}
	return r
}

// unseen sets the outcome of a command if the pool stopped waiting for its end.
func (p *Pool) unseen(ctx context.Context, r *remote.Result, c remote.Command, why end) {
	switch why {
	case overtime:
		missed(r, c, remote.TimedOut, fmt.Sprintf("its end was not observed within its time limit of %v", c.Timeout))
	case cancelled:
		o := remote.Unreachable
		if errors.Is(ctx.Err(), context.DeadlineExceeded) {
			o = remote.TimedOut
		}
		missed(r, c, o, "the request was cancelled while the command ran")
	case flooded:
		missed(r, c, remote.TimedOut, fmt.Sprintf("it was stopped after writing more than %d MiB", p.cfg.StopBytes>>20))
	default:
		missed(r, c, remote.Unreachable, fmt.Sprintf("unknown end %d", why))
	}
}

// lost is the detail of a result if the connection ended before the command.
const lost = "the connection was lost before the command ended"

// overdue returns the detail of a result if the wrapper ended the command because of its time
// limit.
func overdue(c remote.Command) string {
	return fmt.Sprintf("it ran longer than its time limit of %v and was ended on the host", c.Timeout)
}

// settle sets the outcome of a command that has ended. The argument broken means that the
// connection may have ended before all output arrived.
func (s *session) settle(r *remote.Result, c remote.Command, broken bool) {
	took := time.Since(r.Started)
	switch {
	case s.exit != nil && (*s.exit == exitTimeout || *s.exit == exitKilled):
		missed(r, c, remote.TimedOut, overdue(c))
	case s.exit != nil && broken && !c.Changes:
		missed(r, c, remote.Unreachable, "the connection was lost before all of its output had arrived")
	case s.exit != nil:
		r.Outcome, r.Exit = remote.Answered, int(*s.exit)
	case s.signal != "" && took >= c.Timeout:
		r.Signal = s.signal
		missed(r, c, remote.TimedOut, overdue(c))
	case s.signal != "":
		r.Signal = s.signal
		missed(r, c, remote.Unreachable, fmt.Sprintf("the command was ended on the host by a signal (%s)", s.signal))
	case s.refused:
		r.Outcome, r.Detail = remote.Unreachable, "the SSH server did not start the command"
	default:
		missed(r, c, remote.Unreachable, lost)
	}
}

// missed sets the outcome of a command that was sent, but whose end was not observed. If the
// command changes something, the outcome is always FateUnknown.
func missed(r *remote.Result, c remote.Command, o remote.Outcome, what string) {
	r.Outcome, r.Detail = o, what
	if c.Changes {
		r.Outcome = remote.FateUnknown
		r.Detail += "; it may have acted: check its target first"
	}
}

// finish closes the channel of a session, and gives the session back. If the server does not
// confirm that the channel is closed, for example because the command still runs, the connection is
// no longer used for commands.
func (p *Pool) finish(k *conn, s *session) {
	select {
	case <-s.done:
	default:
		p.wg.Go(func() { s.channel.Close() })
		timer := time.NewTimer(closeTime)
		defer timer.Stop()
		select {
		case <-s.done:
		case <-timer.C:
			p.retire(k, errUnclosed)
		}
	}
	p.count(-1)
	p.release(k)
}

// count updates the numbers of commands in progress and of commands sent.
func (p *Pool) count(change int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.stats.Sessions += change
	if change > 0 {
		p.stats.Commands++
	}
}
