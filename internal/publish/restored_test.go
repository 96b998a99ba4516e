package publish_test

import (
	"testing"
	"testing/synctest"
	"time"

	"dhbot/internal/engine"
	"dhbot/internal/test/fakeclock"
)

// The requester of a run that a restore has closed is mentioned in the thread of the run's
// message, even if the store does not know that message. After a restart the requester is
// mentioned again only if the first mention was not stored.
func TestRestoredRunIsReported(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		stop := b.start()
		s := b.change(engine.Stored{}, run1, engine.Running, "")
		fakeclock.Advance(5 * time.Second)
		s = b.change(s, run1, engine.Closed, "from before the restore")
		forgotten := b.change(engine.Stored{}, "R-3456", engine.Closed, "from before the restore")
		fakeclock.Advance(5 * time.Second)
		stop()
		defer b.start()()
		fakeclock.Advance(time.Minute)
		for _, st := range []engine.Stored{s, forgotten} {
			told := 0
			list := b.board.in("C0" + st.Run.ID)
			for _, m := range list {
				if m.text == "restored "+st.Run.ID {
					told++
					if m.thread != list[0].ts {
						t.Errorf("%s: mentioned in the thread %q, want that of its message %q", st.Run.ID, m.thread, list[0].ts)
					}
				}
			}
			if told != 1 {
				t.Errorf("%s: the requester was mentioned %d times: %+v", st.Run.ID, told, list)
			}
			b.wantPosted(st)
		}
	})
}
