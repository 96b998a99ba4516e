package publish

import (
	"context"
	"errors"
	"hash/fnv"
	"time"

	"dhbot/internal/card"
	"dhbot/internal/engine"
	"dhbot/internal/pause"
)

const (
	// The requester is mentioned for an approval only if it took longer than slowDecision. If a run
	// needed no approval and succeeded, they are mentioned only if it took shortRun or longer.
	slowDecision = time.Minute
	shortRun     = time.Minute
	// tellWithin is the age after which an event is no longer mentioned.
	tellWithin = time.Hour
)

// purpose is the reason for mentioning a run's requester in the thread of the run's message. An
// edit of the message alone would send no notification.
type purpose uint8

// The closed set of purposes.
const (
	nothing  purpose = iota
	approved         // approved after a while
	over             // ended, or fate unknown
)

// owed returns why the requester of a run should be mentioned next. Each purpose is returned
// until its mention is stored. After the run has ended, its approval is no longer mentioned.
func (p *Publisher) owed(post Post, r engine.Run) purpose {
	switch {
	case post.TS == "" || r.BroughtBack(): // tellRestored handles the latter
	case final(r):
		if p.Ended != nil && !post.Ended && p.tellsEnd(r) {
			return over
		}
	case p.Decided != nil && !post.Decided && p.tellsApproval(r):
		return approved
	}
	return nothing
}

func (p *Publisher) tellsApproval(r engine.Run) bool {
	return r.ApprovedAt != nil && len(r.Votes) > 0 && r.ApprovedAt.Sub(r.RequestedAt) > slowDecision &&
		p.Now().Sub(*r.ApprovedAt) < tellWithin
}

// tellsEnd reports whether the requester is told that the run ended. It is false if the
// requester ended the run, if the end is too old, and for a short successful run without
// approvals.
func (p *Publisher) tellsEnd(r engine.Run) bool {
	for _, by := range []*engine.Actor{r.EndedBy, r.Abort} {
		if by != nil && by.Person == r.Asked.Person {
			return false
		}
	}
	at := p.Now()
	if r.EndedAt != nil {
		at = *r.EndedAt
	}
	short := r.Need == 0 && r.State == engine.Done && at.Sub(r.RequestedAt) < shortRun
	return !short && p.Now().Sub(at) < tellWithin
}

// tellRequester sends the owed mentions of a run. The run's message does not wait for the mentions,
// because a channel may be slow to accept another message.
func (p *Publisher) tellRequester(ctx context.Context, run string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if _, busy := p.telling[run]; busy {
		p.telling[run] = true
		return
	}
	p.telling[run] = false
	p.work.Go(func() {
		backoff, said := newBackoff(), map[purpose]bool{}
		for {
			told, err := p.mention(ctx, run, said)
			switch {
			case ctx.Err() != nil, err == nil && !told:
				if p.toldAll(ctx, run) {
					return
				}
			case err != nil:
				delay, _ := backoff.Next()
				p.Logger.WarnContext(ctx, "the requester of a run was not mentioned; retrying", "run", run, "err", err)
				pause.For(ctx, delay)
			}
		}
	})
}

// toldAll ends the work on the mentions of a run. It returns false if the run has changed
// meanwhile, so that its mentions must be checked once more.
func (p *Publisher) toldAll(ctx context.Context, run string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.telling[run] && ctx.Err() == nil {
		p.telling[run] = false
		return false
	}
	delete(p.telling, run)
	return true
}

// mention sends one owed mention, if there is one. It stores the mention after sending it, so a
// crash between the two sends the mention again. If only storing failed, only storing is repeated.
func (p *Publisher) mention(ctx context.Context, run string, said map[purpose]bool) (told bool, err error) {
	s, err := p.Runs.Get(ctx, run)
	if err != nil {
		return false, err
	}
	post, _, err := p.Posts.Post(ctx, run)
	if err != nil {
		return false, err
	}
	var c card.Card
	what := p.owed(post, s.Run)
	switch what {
	case approved:
		c = p.Decided(s.Run)
	case over:
		c = p.Ended(s.Run)
	case nothing:
		return false, nil
	}
	if !said[what] {
		_, err = p.Messenger.Post(ctx, beside(post, s.Run), c)
		if err != nil && !errors.Is(err, ErrNoPlace) { // the message itself is then posted elsewhere
			return false, err
		}
		said[what] = true
	}
	note, cancel := context.WithTimeout(context.WithoutCancel(ctx), noteBudget)
	defer cancel()
	return true, p.changePost(note, run, func(stored Post) Post {
		stored.Decided = stored.Decided || what == approved
		stored.Ended = stored.Ended || what == over
		return stored
	})
}

// setPost stores the message of a run, and keeps the purposes for which the requester was
// mentioned.
func (p *Publisher) setPost(ctx context.Context, run string, post Post) error {
	return p.changePost(ctx, run, func(stored Post) Post {
		post.Decided, post.Ended = stored.Decided, stored.Ended
		return post
	})
}

// changePost changes the stored data of a run's message, one change at a time.
func (p *Publisher) changePost(ctx context.Context, run string, change func(stored Post) Post) error {
	h := fnv.New32a()
	if _, err := h.Write([]byte(run)); err != nil {
		return err
	}
	one := &p.notes[h.Sum32()%uint32(len(p.notes))]
	one.Lock()
	defer one.Unlock()
	stored, _, err := p.Posts.Post(ctx, run)
	if err != nil {
		return err
	}
	return p.Posts.SetPost(ctx, run, change(stored))
}

// beside returns the thread for replies to a run's message. If the message is itself in a
// thread, it returns that thread.
func beside(post Post, r engine.Run) engine.Place {
	if post.Channel == r.Place.Channel && r.Place.Thread != "" {
		return r.Place
	}
	return engine.Place{Channel: post.Channel, Thread: post.TS}
}
