package incident

import (
	"time"

	"dhbot/auth"
	"dhbot/internal/audit"
	"dhbot/runbooks"
)

// How long a process, host or cluster may be followed.
const (
	DefaultLength = 30 * time.Minute
	LeastLength   = time.Minute
	MostLength    = 12 * time.Hour
)

// How many follows there may be, in all and by one person.
const (
	MostFollows   = 12
	MostPerPerson = 4
)

// Scope is what is followed: a process, on one host or on all of its own, a
// host, or a whole cluster.
type Scope struct {
	Cluster string `json:"cluster"`
	Process string `json:"process,omitempty"`
	Host    string `json:"host,omitempty"`
}

// String is "db_dis on infra-1 · prod", "infra-1 · prod" or "prod".
func (s Scope) String() string {
	switch {
	case s.Process != "" && s.Host != "":
		return s.Process + " on " + s.Host + " · " + s.Cluster
	case s.Process+s.Host != "":
		return s.Process + s.Host + " · " + s.Cluster
	default:
		return s.Cluster
	}
}

// Command is how a verb is said of it, so that it means the same anywhere.
func (s Scope) Command(verb string) string {
	text := verb
	switch {
	case s.Process != "" && s.Host != "":
		text += " " + s.Process + " on " + s.Host
	case s.Process+s.Host != "":
		text += " " + s.Process + s.Host
	}
	return text + " in " + s.Cluster
}

// target is the scope in the words of the trail, without its cluster.
func (s Scope) target() string {
	if s.Process == "" || s.Host == "" {
		return s.Process + s.Host
	}
	return runbooks.Target{Process: s.Process, Host: s.Host}.String()
}

// Follow is a person's `watch`: one message, until a time.
type Follow struct {
	V     int   `json:"v"`
	Scope Scope `json:"scope"`
	// Person asked for it as Account, in the channel From, "" at a terminal.
	Person  string       `json:"person"`
	Account auth.Account `json:"account"`
	Via     string       `json:"via"`
	From    string       `json:"from,omitempty"`
	Began   time.Time    `json:"began"`
	Until   time.Time    `json:"until"`
	// Settled says that a first look has been taken.
	Settled bool   `json:"settled,omitempty"`
	Memory  Memory `json:"memory,omitempty"`
	// Lately are the last few changes, for the message.
	Lately []Change `json:"lately,omitempty"`
	// Worst is the level that the last stored look has found.
	Worst  runbooks.Severity `json:"worst"`
	Looked time.Time         `json:"looked,omitzero"`
	Ended  *time.Time        `json:"ended,omitempty"`
	// Why it ended before its time, and who ended it; "" where it did by itself.
	Why string `json:"why,omitempty"`
	Message
}

// mostLately is how many changes the message shows.
const mostLately = 4

// FollowRules are the rules of a follow: a recovery is posted on
// the second look.
func FollowRules() Rules {
	r := DefaultRules()
	r.Quiet = 0
	return r
}

// See takes a look in; changed says that there is something new to store.
func (f *Follow) See(list []Seen, at time.Time, r Rules) (changed bool) {
	f.Looked = at
	f.Worst = runbooks.None
	for _, s := range list {
		f.Worst = max1(f.Worst, s.Severity)
	}
	if !f.Settled {
		f.Memory.Settle(list)
		f.Settled = true
		return true
	}
	changes := f.Memory.See(list, at, r)
	for _, c := range changes {
		f.note(c)
		f.Lately = append(f.Lately, c)
	}
	if n := len(f.Lately) - mostLately; n > 0 {
		f.Lately = f.Lately[n:]
	}
	return len(changes) > 0
}

// End ends it, once, and returns the record of that.
func (f *Follow) End(at time.Time, by, why string) audit.Record {
	f.Ended, f.Why = &at, why
	outcome := "ended"
	if why != "" {
		outcome += ": " + why
	}
	r := f.record(at, outcome)
	r.Person, r.Severity = by, ""
	if f.Settled {
		r.Severity = f.Worst.String()
	}
	return r
}

// Start is the record of its beginning, or of a new end being set.
func (f *Follow) Start(at time.Time) audit.Record {
	return f.record(at, "until "+f.Until.UTC().Format("2006-01-02 15:04 UTC"))
}

// record is a read's: following is no more than looking.
func (f *Follow) record(at time.Time, outcome string) audit.Record {
	return audit.Record{
		At: at, Kind: audit.ReadDone, Person: f.Person, Account: f.Account.String(), Via: f.Via, Cluster: f.Scope.Cluster,
		Action: "watch", Target: f.Scope.target(), Outcome: outcome,
	}
}
