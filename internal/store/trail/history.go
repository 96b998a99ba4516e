package trail

import (
	"context"
	"errors"
	"time"

	"dhbot/internal/audit"
	"dhbot/internal/pause"
)

// firstVerify is how long after the start the history is verified for the first time.
const firstVerify = 10 * time.Second

// KeepVerifying verifies the whole history after the start and then every hour (VerifyEach), until
// ctx ends. It does this only while this replica seals the trail. It finds rewritten values that
// nothing else would read.
func (s *Log) KeepVerifying(ctx context.Context) error {
	for wait := min(firstVerify, s.conf.VerifyEach); pause.For(ctx, wait); wait = s.conf.VerifyEach {
		if s.trust.key == nil || !s.leads() {
			continue
		}
		if err := s.VerifyHistory(ctx); err != nil && ctx.Err() == nil {
			s.log.WarnContext(ctx, "the history was not verified", "err", err)
		}
	}
	return nil
}

// VerifyHistory verifies the trail, its published heads, and the signature of every stored run. A
// violation raises an alarm. An error means that verification was not possible.
func (s *Log) VerifyHistory(ctx context.Context) error {
	cp, ok, err := s.newestHead(ctx)
	if err != nil || !ok {
		return err
	}
	_, err = s.rebuild(ctx, cp.Last.N, append(s.seenHeads(), cp.SignedHead))
	if errors.Is(err, ErrFork) {
		s.stopChanges(err.Error())
		return nil
	}
	if err == nil {
		_, err = audit.Verify(audit.Entries(ctx, s, 1), audit.Options{Heads: []audit.Head{cp.Last}})
	}
	var broken *audit.BrokenError
	switch {
	case errors.As(err, &broken):
		s.Alarm("trail", "the trail in the store is broken: "+err.Error())
		return nil
	case err != nil:
		return err
	}
	return s.runs.VerifyRuns(ctx)
}

// sealed remembers which part of the trail this replica has sealed itself.
func (s *Log) sealed(before, now headed) {
	if s.sealer.note == "" || s.sealer.note != before.note {
		s.sealer.since = before.tree.Size
	}
	s.sealer.tree, s.sealer.note = now.tree, now.note
	s.trust.mu.Lock()
	s.trust.sealed = now.SignedHead
	s.trust.mu.Unlock()
}
