package incident

import (
	"time"

	"dhbot/auth"
	"dhbot/internal/audit"
	"dhbot/runbooks"
)

// The default, minimum and maximum duration of a watch.
const (
	DefaultLength = 30 * time.Minute
	LeastLength   = time.Minute
	MostLength    = 12 * time.Hour
)

// The maximum number of watches, in total and for one person.
const (
	MostFollows   = 12
	MostPerPerson = 4
)

// Scope is what a watch observes: a whole cluster, a host, or a process. An empty Host means all
// hosts of the process.
type Scope struct {
	Cluster string `json:"cluster"`
	Process string `json:"process,omitempty"`
	Host    string `json:"host,omitempty"`
}

// String returns the scope in words, such as "db_dis on infra-1 · prod", "infra-1 · prod" or
// "prod".
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

// Command returns the command that applies a verb to the scope. It names the cluster, so it means
// the same in every channel.
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

// target returns the scope for the field Target of an audit record, without the cluster.
func (s Scope) target() string {
	if s.Process == "" || s.Host == "" {
		return s.Process + s.Host
	}
	return runbooks.Target{Process: s.Process, Host: s.Host}.String()
}

// Follow is a watch that a person started. The watch has one message, and ends at the time Until.
type Follow struct {
	V     int   `json:"v"`
	Scope Scope `json:"scope"`
	// Person requested the watch with the account Account, in the channel From. From is "" if the
	// request came from a terminal.
	Person  string       `json:"person"`
	Account auth.Account `json:"account"`
	Via     string       `json:"via"`
	From    string       `json:"from,omitempty"`
	Began   time.Time    `json:"began"`
	Until   time.Time    `json:"until"`
	// Settled means that the first check was made.
	Settled bool   `json:"settled,omitempty"`
	Memory  Memory `json:"memory,omitempty"`
	// Lately are the newest changes, which the message shows.
	Lately []Change `json:"lately,omitempty"`
	// Worst is the level of the last stored check.
	Worst  runbooks.Severity `json:"worst"`
	Looked time.Time         `json:"looked,omitzero"`
	Ended  *time.Time        `json:"ended,omitempty"`
	// Why says why the watch ended early, and who ended it. It is "" if the watch lasted until
	// Until.
	Why string `json:"why,omitempty"`
	Message
}

// mostLately is the maximum number of changes that the message of a watch shows.
const mostLately = 4

// FollowRules returns the rules of a watch. A recovery is posted as soon as a second check confirms
// it.
func FollowRules() Rules {
	return DefaultRules(0)
}

// See updates the watch with the results of one check. It returns true if there is something new to
// store.
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

// End ends the watch and returns the audit record. Call it only once.
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

// Start returns the audit record for a watch that begins, or whose end was changed.
func (f *Follow) Start(at time.Time) audit.Record {
	return f.record(at, "until "+f.Until.UTC().Format("2006-01-02 15:04 UTC"))
}

// record returns an audit record about the watch. Its kind is a read, because a watch changes
// nothing.
func (f *Follow) record(at time.Time, outcome string) audit.Record {
	return audit.Record{
		At: at, Kind: audit.ReadDone, Person: f.Person, Account: f.Account.String(), Via: f.Via, Cluster: f.Scope.Cluster,
		Action: "watch", Target: f.Scope.target(), Outcome: outcome,
	}
}
