package publish

import (
	"context"
	"errors"
	"slices"

	"dhbot/internal/card"
	"dhbot/internal/engine"
)

// threads are where the trails of runs stand, as far as this process has read
// or made them, and how people get there. The Publisher's mu guards them.
type threads struct {
	of   map[string]Thread
	none map[string]bool // the store knows none
	urls map[string]string
}

// maxThreads bounds what is remembered; when it is full it is forgotten, which
// costs a read for each.
const maxThreads = 2_000

func newThreads() threads {
	return threads{of: map[string]Thread{}, none: map[string]bool{}, urls: map[string]string{}}
}

// thread is where a run's trail stands. Only this process makes threads while
// it leads, so that the store is asked once for each run.
func (p *Publisher) thread(ctx context.Context, run string) (Thread, bool, error) {
	p.mu.Lock()
	th, ok := p.threads.of[run]
	none := p.threads.none[run]
	p.mu.Unlock()
	if ok || none {
		return th, ok, nil
	}
	th, ok, err := p.Posts.Thread(ctx, run)
	if errors.Is(err, engine.ErrNewerForm) {
		// A newer replica's to keep: this one posts beside its thread.
		th = Thread{Linked: true}
		ok = true
		err = nil
	}
	if err != nil {
		return Thread{}, false, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if made, have := p.threads.of[run]; have { // meanwhile
		return made, true, nil
	}
	if len(p.threads.of)+len(p.threads.none) >= maxThreads {
		p.threads = newThreads()
	}
	if ok {
		p.threads.of[run] = th
	} else {
		p.threads.none[run] = true
	}
	return th, ok, nil
}

// beginThread notes where a run's trail stands, and has the run's message lead
// there.
func (p *Publisher) beginThread(ctx context.Context, run string, th Thread) error {
	if err := p.setThread(ctx, run, th); err != nil {
		return err
	}
	switch st, err := p.Runs.Get(ctx, run); {
	case errors.Is(err, engine.ErrNotFound):
	case err != nil:
		p.Logger.WarnContext(ctx, "a run's message does not lead to its trail yet", "run", run, "err", err)
	default:
		p.seeAgain(ctx, st)
	}
	return nil
}

func (p *Publisher) setThread(ctx context.Context, run string, th Thread) error {
	note, cancel := context.WithTimeout(context.WithoutCancel(ctx), noteBudget)
	defer cancel()
	p.mu.Lock() // this process knows, whatever becomes of the store
	p.threads.of[run] = th
	delete(p.threads.none, run)
	p.mu.Unlock()
	return p.Posts.SetThread(note, run, th)
}

// messageLink is how people get to a run's message, "" while it has none.
func (p *Publisher) messageLink(ctx context.Context, run string) (string, error) {
	post, ok, err := p.Posts.Post(ctx, run)
	if err != nil || !ok || post.TS == "" {
		return "", err
	}
	return p.Messenger.Link(ctx, post.Channel, post.TS)
}

// willBeShown says that a run has a place for its message.
func (p *Publisher) willBeShown(ctx context.Context, run string) bool {
	st, err := p.Runs.Get(ctx, run)
	return err == nil && st.Run.Place.Channel != ""
}

// withTrail adds the way to a run's trail to its message, where there is one.
// linked says that it did, and th where that is.
func (p *Publisher) withTrail(ctx context.Context, run string, c card.Card) (out card.Card, th Thread, linked bool) {
	th, ok, err := p.thread(ctx, run)
	if err != nil || !ok || th.TS == "" {
		return c, th, false
	}
	p.mu.Lock()
	url := p.threads.urls[run]
	p.mu.Unlock()
	if url == "" {
		if url, err = p.Messenger.Link(ctx, th.Channel, th.TS); err != nil || url == "" {
			p.Logger.WarnContext(ctx, "a run's message does not lead to its trail", "run", run, "err", err)
			return c, th, false
		}
		p.mu.Lock()
		p.threads.urls[run] = url
		p.mu.Unlock()
	}
	c.Foot = slices.Clone(c.Foot)
	if n := len(c.Foot); n > 0 {
		c.Foot[n-1] = append(slices.Clone(c.Foot[n-1]), card.T(" · "), card.L("trail", url))
	} else {
		c.Foot = []card.Line{{card.L("trail", url)}}
	}
	return c, th, true
}

// unlinked says that a run has a trail to which its message does not lead yet.
func (p *Publisher) unlinked(ctx context.Context, run string) bool {
	th, ok, err := p.thread(ctx, run)
	return err == nil && ok && !th.Linked
}

// linked notes that a run's message leads to its trail.
func (p *Publisher) linked(ctx context.Context, run string, th Thread) error {
	if th.Linked {
		return nil
	}
	th.Linked = true
	return p.setThread(ctx, run, th)
}
