package slackio

import (
	"fmt"
	"sync"
	"time"

	"dhbot/auth"
	"dhbot/handlers/call"
	"dhbot/internal/slackio/rate"
)

const (
	// readsAtATime is how many reads of one person are accepted: one running and four waiting.
	readsAtATime = 5
	// strangerEvery is how often an account that is not in the config is looked up and answered.
	// strangersAtOnce and strangersEvery limit all such accounts together; known people have
	// separate limits.
	strangerEvery   = 10 * time.Minute
	strangersAtOnce = 10
	strangersEvery  = 6 * time.Second
)

// strangers limits the load from accounts that are not in the config.
type strangers struct {
	now func() time.Time

	mu     sync.Mutex
	heard  map[string]time.Time // by user id
	bucket rate.Bucket
}

func newStrangers(now func() time.Time) *strangers {
	return &strangers{
		now: now, heard: map[string]time.Time{},
		bucket: rate.Bucket{Size: strangersAtOnce, Every: strangersEvery, Tokens: strangersAtOnce, At: now()},
	}
}

// allow reports whether to handle a delivery of an unknown account.
func (s *strangers) allow(user string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	if at, ok := s.heard[user]; ok && now.Sub(at) < strangerEvery || s.bucket.Wait(now, 1) > 0 {
		return false
	}
	s.bucket.Take(now)
	for u, at := range s.heard {
		if now.Sub(at) >= strangerEvery {
			delete(s.heard, u)
		}
	}
	s.heard[user] = now
	return true
}

// known reports whether the config has an account: by its user id or, in an Enterprise Grid, by the
// person's id after a look-up.
func (e *Edge) known(a auth.Account) bool {
	if e.isKnown(a.User) {
		return true
	}
	p, ok := e.profiles.get(a.User, 24*time.Hour)
	return ok && e.isKnown(p.ID)
}

// reads limits the reads of each person, so that a flood of reads delays no decision of another
// person.
type reads struct {
	mu    sync.Mutex
	under map[string]int // accepted reads by user id
	over  map[string]int // by user id: reads refused since the user last had no read in progress
}

func newReads() *reads { return &reads{under: map[string]int{}, over: map[string]int{}} }

// enter accepts a read, or refuses it. refused is the number of the person's refused reads, or 0
// if the read is accepted.
func (r *reads) enter(user string) (ok bool, refused int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.under[user] >= readsAtATime {
		r.over[user]++
		return false, r.over[user]
	}
	r.under[user]++
	return true, 0
}

// leave ends a read. When the person's last accepted read ends, refused is the number of
// refused reads; before that it is 0.
func (r *reads) leave(user string) (refused int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.under[user]--; r.under[user] > 0 {
		return 0
	}
	refused = r.over[user]
	delete(r.under, user)
	delete(r.over, user)
	return refused
}

// isRead parses a command or a mention and reports whether it only reads.
func (e *Edge) isRead(d *delivery) bool {
	if d.Via != call.Slash && d.Via != call.Mention || e.receive == nil {
		return false
	}
	d.parsed = e.receive(d.message(unclaimed, channelFacts{}))
	return d.parsed.OnlyReads
}

// sayTooManyReads answers the first refused read of a person. Further refused reads are only
// counted.
var sayTooManyReads = fmt.Sprintf("%d of your reads are in progress, so this one was not accepted: repeat it once they are answered. Approve, deny, cancel and changes are still accepted.", readsAtATime)

// endRead ends a read. After the last of a person's reads, it tells the person how many of their
// reads were refused. It says nothing if only one was refused, because the person already knows.
func (e *Edge) endRead(d *delivery) {
	n := e.reads.leave(d.Account.User)
	if n <= 1 {
		return
	}
	select {
	case e.notices <- notice{d, fmt.Sprintf("%d of your reads were not answered: the bot accepts %d at a time. Repeat those that you still need.", n, readsAtATime)}:
	default:
	}
}
