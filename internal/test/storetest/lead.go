package storetest

import (
	"context"
	"errors"
	"testing"

	"dhbot/internal/publish"
)

// A store without other replicas leads at once. It leads until it is stopped, or until the function
// that was passed to Lead fails. The leader stores posts.
func testLead(t *testing.T, s *suite) {
	ctx, cancel := context.WithCancel(t.Context())
	want := publish.Post{Channel: "C0INCIDENT", TS: "1700000000.000100", Rev: 3}
	err := s.Lead(ctx, func(ctx context.Context) error {
		if err := s.SetPost(ctx, "R-7F3K", want); err != nil {
			t.Errorf("the leader cannot post: %v", err)
		}
		cancel()
		<-ctx.Done()
		return nil
	})
	if err != nil {
		t.Errorf("Lead returned %v, want nil", err)
	}
	if got, ok, err := s.Post(t.Context(), "R-7F3K"); err != nil || !ok || got != want {
		t.Errorf("post %+v, %v, %v; want %+v", got, ok, err, want)
	}
	broken := errors.New("broken")
	if err := s.Lead(t.Context(), func(context.Context) error { return broken }); !errors.Is(err, broken) {
		t.Errorf("Lead returned %v, want the error of the function", err)
	}
}
