package incident

import (
	"time"

	"dhbot/auth"
	"dhbot/internal/audit"
	"dhbot/runbooks"
)

// Limits of the duration of a watch.
const (
	DefaultLength = 30 * time.Minute
	LeastLength   = time.Minute
	MostLength    = 12 * time.Hour
)

// Limits of the number of watches, in total and for one person.
const (
	MostFollows   = 12
	MostPerPerson = 4
)

// Scope is the target of a watch: a process, on one host or on all of its hosts; a host; or a
// whole cluster.
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

// Command is the command for a verb and this scope; it means the same in every channel.
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

// target is the scope in the trail, without its cluster.
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
	// Person requested the watch as Account, in the channel From ("" at a terminal).
	Person  string       `json:"person"`
	Account auth.Account `json:"account"`
	Via     string       `json:"via"`
	From    string       `json:"from,omitempty"`
	Began   time.Time    `json:"began"`
	Until   time.Time    `json:"until"`
	// Settled means that the first check was made.
	Settled bool   `json:"settled,omitempty"`
	Memory  Memory `json:"memory,omitempty"`
	// Lately are the last few changes, for the message.
	Lately []Change `json:"lately,omitempty"`
	// Worst is the level of the last stored check.
	Worst  runbooks.Severity `json:"worst"`
	Looked time.Time         `json:"looked,omitzero"`
	Ended  *time.Time        `json:"ended,omitempty"`
	// Why is the reason why the watch ended early, and who ended it; "" if the watch lasted until
	// Until.
	Why string `json:"why,omitempty"`
	Message
}

// mostLately is the number of changes in the message.
const mostLately = 4

// FollowRules are the rules of a watch: a recovery is posted after the second check.
func FollowRules() Rules {
	return DefaultRules(0)
}

// See records a check. It returns true if there is something new to store.
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

// End ends the watch, once, and returns the record.
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

// Start returns the record of the watch's begin, or of its new end.
func (f *Follow) Start(at time.Time) audit.Record {
	return f.record(at, "until "+f.Until.UTC().Format("2006-01-02 15:04 UTC"))
}

// record returns a trail record of kind read, because a watch only reads.
func (f *Follow) record(at time.Time, outcome string) audit.Record {
	return audit.Record{
		At: at, Kind: audit.ReadDone, Person: f.Person, Account: f.Account.String(), Via: f.Via, Cluster: f.Scope.Cluster,
		Action: "watch", Target: f.Scope.target(), Outcome: outcome,
	}
}
