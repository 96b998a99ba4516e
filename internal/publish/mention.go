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
	// slowDecision is how long a requester watches for a decision by themselves, and
	// shortRun how long for the end of a run that takes no approval.
	slowDecision = time.Minute
	shortRun     = time.Minute
	// tellWithin is how long after it something is still told.
	tellWithin = time.Hour
)

// purpose is what the requester of a run is mentioned for beside its message,
// since an edit sends no notification.
type purpose uint8

// The closed set of purposes.
const (
	nothing  purpose = iota
	approved         // it was approved, which took its time
	over             // it is over, or its fate is unknown
)

// owed is what the requester of a run is still to be mentioned for: each once, and
// the approval not after the end.
func (p *Publisher) owed(post Post, r engine.Run) purpose {
	switch {
	case post.TS == "" || r.BroughtBack(): // the latter is told by tellRestored
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

// tellsEnd is false for an end that the requester made, and for a short run that
// took no approval and went well.
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

// tellRequester mentions the requester of a run for what is owed. The run's message
// does not wait for that: a channel may be slow to take another one.
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
				p.Logger.WarnContext(ctx, "the requester of a run was not mentioned; trying again", "run", run, "err", err)
				pause.For(ctx, delay)
			}
		}
	})
}

// toldAll ends the telling of a run unless there is something new to look at.
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

// mention tells one thing that is owed, if there is one. That it was told is noted
// afterwards: after a crash in between it is told once more. What was said and could
// not be noted is only noted.
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
		if err != nil && !errors.Is(err, ErrNoPlace) { // the message itself is shown elsewhere then
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

// setPost stores which message shows a run, and leaves what the requester was told.
func (p *Publisher) setPost(ctx context.Context, run string, post Post) error {
	return p.changePost(ctx, run, func(stored Post) Post {
		post.Decided, post.Ended = stored.Decided, stored.Ended
		return post
	})
}

// changePost changes what is stored of a run's message, one change at a time.
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

// beside is the thread of a run's message, or the one that the message itself
// stands in.
func beside(post Post, r engine.Run) engine.Place {
	if post.Channel == r.Place.Channel && r.Place.Thread != "" {
		return r.Place
	}
	return engine.Place{Channel: post.Channel, Thread: post.TS}
}
