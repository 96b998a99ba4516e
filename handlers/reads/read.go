package reads

import (
	"context"
	"sync"
	"time"

	"dhbot/handlers/call"
	"dhbot/internal/audit"
	"dhbot/internal/card"
	"dhbot/internal/card/outputcard"
	"dhbot/internal/engine"
	"dhbot/internal/observe"
	"dhbot/internal/observe/complaint"
	"dhbot/internal/redact"
	"dhbot/internal/refusal"
	"dhbot/internal/remote"
	"dhbot/internal/status"
	"dhbot/runbooks"
)

// Reads handles the verbs that change nothing on a host.
type Reads struct {
	*call.Base
	following chan struct{} // one slot for each followed log
}

// New returns the handlers of reads.
func New(base *call.Base) *Reads {
	return &Reads{Base: base, following: make(chan struct{}, Followed)}
}

// ReadOutput handles a read that shows output: the verdict in a card, and the rest as files in
// the card's thread. Only the requester gets sensitive output.
func (s *Reads) ReadOutput(ctx context.Context, c *call.Call) error {
	reads, err := s.bindReads(ctx, c)
	if err != nil {
		return err
	}
	plan, params := readsPlan(reads)
	reading := outputcard.Reading{
		Title: plan.Title, Cluster: plan.Cluster, Parts: s.runReads(ctx, plan.Steps), At: s.Now(),
		Sensitive: plan.Class == runbooks.Sensitive, Unrecorded: c.Key == "" && c.Via != call.Terminal,
	}
	if len(reads) > 1 {
		reading.Parts = byProcess(reads, reading.Parts)
	}
	if reading.Sensitive && reading.Unrecorded {
		return refusal.New(call.StoreDown, "Not shown: this read is sensitive, and my state store does not answer, so it could not be recorded. Please try again in a minute.")
	}
	if err := s.recordOutput(ctx, c, plan, params); err != nil {
		if reading.Sensitive {
			return err
		}
		reading.Unrecorded = true
	}
	return s.showReading(ctx, c, reading)
}

// runReads runs the reads of a plan concurrently, a few at a time on each host. The answers are
// in the order of the plan.
func (s *Reads) runReads(ctx context.Context, steps []runbooks.Step) []outputcard.Answer {
	out, results := make([]outputcard.Answer, len(steps)), make([]remote.Result, len(steps))
	turns := newHostLimiter(status.PerHost)
	var wg sync.WaitGroup
	for i, st := range steps {
		if st.Kind == runbooks.Manual || st.Changes() {
			out[i] = outputcard.Answer{Host: st.Host, Title: st.Title, Why: "not a read, so it was not run"}
			continue
		}
		turn := turns.semaphore(st.Host)
		wg.Go(func() {
			select {
			case turn <- struct{}{}:
				defer func() { <-turn }()
			case <-ctx.Done():
				out[i] = outputcard.Answer{Host: st.Host, Title: st.Title, Why: "not sent: the request was cancelled"}
				return
			}
			results[i] = s.Remote.Run(ctx, engine.CommandOf(st))
			out[i] = answerOf(st, results[i])
		})
	}
	wg.Wait()
	tabulate(out, steps, results)
	return out
}

// answerOf returns the answer of one command, made safe to show.
func answerOf(st runbooks.Step, r remote.Result) outputcard.Answer {
	p := outputcard.Answer{Host: st.Host, Title: st.Title, Command: st.Command, At: r.Ended, Dropped: r.Stdout.Truncated()}
	text := redact.Text(r.Stdout.String())
	switch {
	case r.Outcome != remote.Answered:
		p.Why = redact.Line(r.Outcome.String()+": "+r.Detail, 300)
	case r.Exit != 0 && text == "" && !nothingFound(st, r):
		p.Why = redact.Line(complaint.Of(r), 300)
	default:
		p.OK = true
	}
	p.Text = text
	if judgeable(st.Until) && r.Outcome == remote.Answered {
		judgeRead(&p, st, r)
		return p
	}
	log := observe.ReadLog(text, time.Time{})
	p.Errors = log.Errors
	p.Fatals = log.Fatals
	p.FirstError = redact.Line(log.FirstError, 200)
	return p
}

// nothingFound reports whether a search succeeded without a match.
func nothingFound(st runbooks.Step, r remote.Result) bool {
	return st.Until == runbooks.Found && r.Exit == 1 && r.Stdout.Total+r.Stderr.Total == 0
}

// showReading shows output in the channel, or only to the requester if it is sensitive or
// outsiders are in the channel.
func (s *Reads) showReading(ctx context.Context, c *call.Call, r outputcard.Reading) error {
	out, files := outputcard.Output(r)
	if r.Sensitive || c.ChannelShared {
		if err := c.Reply.Direct(ctx, out, files...); err != nil {
			return err
		}
		return c.Reply.Ephemeral(ctx, card.Notice("✉️ Sent to you as a direct message."))
	}
	if err := c.Reply.Show(ctx, c.Signed(out)); err != nil {
		return err
	}
	for _, f := range files {
		if err := c.Reply.Attach(ctx, f); err != nil {
			return err
		}
	}
	return nil
}

func (s *Reads) recordOutput(ctx context.Context, c *call.Call, plan runbooks.Plan, params map[string]string) error {
	r := audit.Record{
		At: s.Now(), Kind: audit.ReadDone, Person: c.Who.Name, Account: c.Account.String(), Via: string(c.Via),
		Cluster: plan.Cluster, Action: plan.Action, Target: plan.Title, Text: redact.Line(call.ParamText(params), call.ReasonRunes),
	}
	err := s.Append(ctx, c.Message, r)
	c.Settled = err == nil
	if err != nil {
		s.Logger.WarnContext(ctx, "read not recorded", "err", err)
	}
	return err
}
