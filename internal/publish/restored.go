package publish

import (
	"context"
	"errors"

	"dhbot/internal/engine"
)

// tellRestored mentions the requester of a run that a restore has closed, in the thread of the
// run's message, because the requester still waits and an edit sends no notification. It stores
// the mention after sending it, so a crash between the two sends the mention again.
func (p *Publisher) tellRestored(ctx context.Context, post *Post, r engine.Run) error {
	if post.Told || !r.BroughtBack() {
		return nil
	}
	_, err := p.Messenger.Post(ctx, beside(*post, r), p.Restored(r))
	if err != nil && !errors.Is(err, ErrNoPlace) { // the message itself is then posted elsewhere
		return err
	}
	post.Told = true
	return nil
}
