package etcdconn

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
)

// State is the health of the store.
type State string

// The closed set of states. The store accepts changes in the first two.
const (
	Well      State = "well"
	Slow      State = "slow"             // the store answers, but a recent call took longer than slowCall
	NoLeader  State = "without leader"   // most members of the cluster are down or disconnected
	Full      State = "full"             // etcd's NOSPACE alarm: etcd reads and deletes, but stores nothing new
	Corrupted State = "corrupted"        // etcd's CORRUPT alarm
	Denied    State = "access denied"    // user, password or permission
	Silent    State = "does not answer"  // no answer within the time limit of a call
	Stopped   State = "stopped for good" // the embedded server had a fatal error
)

// Serves reports whether the store accepts changes in this state.
func (s State) Serves() bool { return s == Well || s == Slow }

// Advice is the fix for this state, as one clause.
func (s State) Advice() string {
	switch s {
	case Well:
		return "nothing needs to be done"
	case Slow:
		return "check the load and the disk of the machine on which etcd runs"
	case NoLeader:
		return "etcd has no leader: start the members of the cluster, or repair the network between them"
	case Full:
		return "it is full: an embedded store frees space on its own once the archive can be written and the trail is posted; for an external etcd, compact and defragment the database and then disarm the alarm, or raise the quota"
	case Corrupted:
		return "its data is corrupted: stop the bot and restore the state from a backup"
	case Denied:
		return "the bot's etcd user needs read and write permission on its prefix"
	case Silent:
		return "check that etcd runs, and that this machine can connect to it"
	case Stopped:
		return "fix the problem named in the message, then start the bot again; nothing is lost"
	default:
		return fmt.Sprintf("%q is not a known state", string(s))
	}
}

// StateOf is the state that an error of etcd indicates, or Silent.
func StateOf(err error) State {
	var stopped *StoppedError
	switch {
	case errors.As(err, &stopped):
		return Stopped
	case errors.Is(err, rpctypes.ErrNoSpace):
		return Full
	case errors.Is(err, rpctypes.ErrCorrupt):
		return Corrupted
	case errors.Is(err, rpctypes.ErrPermissionDenied), errors.Is(err, rpctypes.ErrUserEmpty), errors.Is(err, rpctypes.ErrAuthFailed):
		return Denied
	case errors.Is(err, rpctypes.ErrNoLeader):
		return NoLeader
	default:
		return Silent
	}
}

const (
	// slowCall is the longest normal call; on a good disk a call takes a few milliseconds.
	slowCall = 500 * time.Millisecond
	// slowFor is how long a slow call counts as recent.
	slowFor = time.Minute
)

// slowness is the newest call that was slow.
type slowness struct {
	mu    sync.Mutex
	at    time.Time
	lasts time.Duration
}

func (s *slowness) took(at time.Time, d time.Duration) {
	if d < slowCall {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.at, s.lasts = at, d
}

// lately is the duration of the newest slow call, or 0 if no recent call was slow.
func (s *slowness) lately() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.at.IsZero() || time.Since(s.at) > slowFor {
		return 0
	}
	return s.lasts
}
