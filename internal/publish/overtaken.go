package publish

import (
	"context"
	"errors"

	"dhbot/internal/engine"
	"dhbot/internal/pause"
)

// errOvertaken means that a message may show an older form of its run. The stored post is
// marked, so that the leader edits the message again.
var errOvertaken = errors.New("the run, or the lead, changed while its message was edited")

// overtaken checks a run's message after an edit. A process that was suspended between reading a
// run and sending the edit may have overwritten a newer form, and Slack's chat.update has no
// condition. If the run has a newer form, or this process no longer leads, overtaken marks the
// stored post as behind. The leader then edits the message once more.
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
		// The leader may have just edited the message. If it then stores the post, it overwrites
		// the mark, so the mark is stored again later.
		pause.For(note, noteBudget)
		p.mark(note, s.Run.ID)
	}
	return newer || ctx.Err() != nil
}

// mark stores that a run's message may show an outdated form.
func (p *Publisher) mark(ctx context.Context, run string) {
	if err := p.Posts.MarkBehind(ctx, run); err != nil {
		p.Logger.WarnContext(ctx, "a run's message may be out of date, and a new edit could not be scheduled", "run", run, "err", err)
	}
}

// mayBeOverwritten reports whether an earlier leader may have had an edit of a run's message in
// progress when it lost the lead.
func (p *Publisher) mayBeOverwritten(r engine.Run, post Post) bool {
	if post.TS == "" {
		return false
	}
	return r.EndedAt == nil || p.Now().Sub(*r.EndedAt) < again
}
