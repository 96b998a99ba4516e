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
	// killAfter is the time that the wrapper in Command.Sent leaves a command between TERM and KILL
	// ("timeout -k 5 N").
	killAfter = 5 * time.Second
	// grace is how much longer the pool waits for the end of a command.
	grace = 5 * time.Second
	// closeTime is how long a server may take to confirm that a channel is closed; after that no
	// more commands are sent over its connection.
	closeTime = 2 * time.Second
	// openTime is how long a server may take to open a channel.
	openTime = 5 * time.Second
	// maxOpens is the largest number of dead connections that a command tries.
	maxOpens = 3
)

// Exit codes of timeout(1) for a command that it ended, by TERM and by KILL.
const (
	exitTimeout = 124
	exitKilled  = 137
)

// Run implements remote.Runner: it sends the command once, or not at all, and determines the
// outcome. Started is when the command was sent or, if it was not, when Run was called.
func (p *Pool) Run(ctx context.Context, c remote.Command) remote.Result {
	return told(c, p.run(ctx, c))
}

// told classifies a result and completes its detail and its end.
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

// unsent is the result of a command that was not sent.
func unsent(f *failure) remote.Result {
	return remote.Result{Outcome: f.outcome, Detail: f.text + "; the command was not sent", Started: time.Now()}
}

// open opens a channel for one command. No part of the command has been sent yet, so open can
// replace a dead connection and skip a full one.
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

// openChannel opens a channel. After any error except a refusal, the session is returned to the
// pool, at the latest when the attempt is over.
func (p *Pool) openChannel(ctx context.Context, c *conn) (ssh.Channel, <-chan *ssh.Request, error) {
	type answer struct {
		channel  ssh.Channel
		requests <-chan *ssh.Request
		err      error
	}
	answered, abandoned := make(chan answer), make(chan struct{})
	defer close(abandoned)
	// This goroutine has no waiting caller. The library loses a channel that is opened at the
	// moment when it notices the connection's end; in that case the call never returns.
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

// unseen sets the outcome of a command that the pool stopped waiting for.
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

// lost is the detail if the connection ended too early.
const lost = "the connection was lost before the command ended"

// overdue is the detail if the wrapper ended a command.
func overdue(c remote.Command) string {
	return fmt.Sprintf("it ran longer than its time limit of %v and was ended on the host", c.Timeout)
}

// settle evaluates the end of a command. broken means that the connection may have ended before all
// output arrived.
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

// missed sets the result of a command that was sent, but whose end was not observed. For a changing
// command the outcome is always FateUnknown.
func missed(r *remote.Result, c remote.Command, o remote.Outcome, what string) {
	r.Outcome, r.Detail = o, what
	if c.Changes {
		r.Outcome = remote.FateUnknown
		r.Detail += "; it may have acted: check its target first"
	}
}

// finish closes a session's channel and gives the session back. A server that does not close the
// channel still counts the session (sshd does so while the command runs), so no more commands are
// sent over its connection.
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

// count counts commands in progress and sent.
func (p *Pool) count(change int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.stats.Sessions += change
	if change > 0 {
		p.stats.Commands++
	}
}
