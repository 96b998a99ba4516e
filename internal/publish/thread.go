package publish

import (
	"context"
	"errors"
	"slices"

	"dhbot/internal/card"
	"dhbot/internal/engine"
)

// threads is a cache of the threads of runs in the audit channel, and of the links to these
// threads. The Publisher's mu guards it.
type threads struct {
	of   map[string]Thread
	none map[string]bool // runs for which the store has no thread
	urls map[string]string
}

// maxThreads limits the cache. A full cache is dropped, which costs one read per run.
const maxThreads = 2_000

func newThreads() threads {
	return threads{of: map[string]Thread{}, none: map[string]bool{}, urls: map[string]string{}}
}

// thread returns the thread of a run's records. It reads the store once for each run, because
// only the leader creates threads.
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
		// A newer replica stored the thread in an unknown form, so this replica posts outside
		// the thread.
		th = Thread{Linked: true}
		ok = true
		err = nil
	}
	if err != nil {
		return Thread{}, false, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if made, have := p.threads.of[run]; have { // created meanwhile
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

// beginThread stores the thread of a run's records, and adds the link to the run's message.
func (p *Publisher) beginThread(ctx context.Context, run string, th Thread) error {
	if err := p.setThread(ctx, run, th); err != nil {
		return err
	}
	switch st, err := p.Runs.Get(ctx, run); {
	case errors.Is(err, engine.ErrNotFound):
	case err != nil:
		p.Logger.WarnContext(ctx, "a run's message has no link to its trail yet", "run", run, "err", err)
	default:
		p.seeAgain(ctx, st)
	}
	return nil
}

func (p *Publisher) setThread(ctx context.Context, run string, th Thread) error {
	note, cancel := context.WithTimeout(context.WithoutCancel(ctx), noteBudget)
	defer cancel()
	p.mu.Lock() // in memory, even if the store fails
	p.threads.of[run] = th
	delete(p.threads.none, run)
	p.mu.Unlock()
	return p.Posts.SetThread(note, run, th)
}

// messageLink returns the link to a run's message, or "" if there is none.
func (p *Publisher) messageLink(ctx context.Context, run string) (string, error) {
	post, ok, err := p.Posts.Post(ctx, run)
	if err != nil || !ok || post.TS == "" {
		return "", err
	}
	return p.Messenger.Link(ctx, post.Channel, post.TS)
}

// willBeShown reports whether a run has a channel for its message.
func (p *Publisher) willBeShown(ctx context.Context, run string) bool {
	st, err := p.Runs.Get(ctx, run)
	return err == nil && st.Run.Place.Channel != ""
}

// withTrail adds a link to the run's thread to the run's message c. The result linked is true if
// it added the link. If the run has no thread, c is returned unchanged.
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
			p.Logger.WarnContext(ctx, "a run's message has no link to its trail", "run", run, "err", err)
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

// unlinked reports whether a run has a thread to which its message does not link yet.
func (p *Publisher) unlinked(ctx context.Context, run string) bool {
	th, ok, err := p.thread(ctx, run)
	return err == nil && ok && !th.Linked
}

// linked stores that a run's message links to its thread.
func (p *Publisher) linked(ctx context.Context, run string, th Thread) error {
	if th.Linked {
		return nil
	}
	th.Linked = true
	return p.setThread(ctx, run, th)
}
