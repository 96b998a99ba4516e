package publish

import (
	"context"
	"errors"

	"dhbot/internal/engine"
	"dhbot/internal/pause"
)

// errOvertaken says that a message may show an older form of its run than it
// did before, and that the leader knows.
var errOvertaken = errors.New("the run, or the lead, changed while its message was edited")

// overtaken looks again after an edit of a run's message: a process that was
// paused between reading a run and sending the edit has put an old form over a
// newer one, and Slack's chat.update knows no condition. Where the run has a
// newer form, or this process does not lead any more, the stored post is marked
// as behind, so that the leader edits it once more.
func (p *Publisher) overtaken(ctx context.Context, s engine.Stored) bool {
	note, cancel := context.WithTimeout(context.WithoutCancel(ctx), 3*noteBudget)
	defer cancel()
	now, err := p.Runs.Get(note, s.Run.ID)
	newer := err == nil && now.Rev > s.Rev
	if err == nil && !newer && ctx.Err() == nil {
		return false
	}
	p.mark(note, s.Run.ID)
	if newer && ctx.Err() != nil {
		// The leader may have edited just before and be about to note it, over
		// the mark.
		pause.For(note, noteBudget)
		p.mark(note, s.Run.ID)
	}
	return newer || ctx.Err() != nil
}

// mark notes that a run's message may show an older form than it should.
func (p *Publisher) mark(ctx context.Context, run string) {
	if err := p.Posts.MarkBehind(ctx, run); err != nil {
		p.Logger.WarnContext(ctx, "a run's message may be behind, and that is not noted", "run", run, "err", err)
	}
}

// mayBeOverwritten reports whether a leader before this one may still have had
// an edit of a run's message under way when it lost the lead.
func (p *Publisher) mayBeOverwritten(r engine.Run, post Post) bool {
	if post.TS == "" {
		return false
	}
	return r.EndedAt == nil || p.Now().Sub(*r.EndedAt) < again
}
