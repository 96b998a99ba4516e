package audit

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"strings"
	"time"
)

// RunReport describes one run for auditors: its requester, its approvers, its commands, and the
// manual steps.
type RunReport struct {
	Run      string `json:"run"`
	Cluster  string `json:"cluster"`
	Action   string `json:"action"`
	Target   string `json:"target"`
	Severity string `json:"severity"`

	Asked    Act       `json:"asked"`
	Approved []Act     `json:"approved"` // valid approvals, without withdrawn ones
	Denied   *Act      `json:"denied,omitempty"`
	Ran      []Command `json:"ran"`
	ByHand   []Act     `json:"by_hand"` // manual steps, and the closing
	Outcome  string    `json:"outcome"` // the outcome of the run, "" while it is open
	First    uint64    `json:"first"`   // the first entry of the run in the trail, and the last one
	Last     uint64    `json:"last"`
}

// Act is an action of a person.
type Act struct {
	At      time.Time `json:"at"`
	Person  string    `json:"person"`
	Account string    `json:"account"`
	Via     string    `json:"via"`
	Text    string    `json:"text,omitempty"`
}

// Command is a command sent to a host, and its outcome.
type Command struct {
	At      time.Time `json:"at"`
	Step    int       `json:"step"`
	Host    string    `json:"host"`
	Command string    `json:"command"`
	Outcome string    `json:"outcome"` // "" if its end was not observed
	Exit    *int      `json:"exit,omitempty"`
}

// ReportFilter selects runs.
type ReportFilter struct {
	From, To time.Time // selects runs with a record in this time, without To itself; zero means no limit
	Person   string    // selects runs that this person requested, approved, denied or closed, or did a manual step of
}

// Runs returns a report for each run of a trail that f selects, in the order of their requests.
func Runs(trail iter.Seq2[Sealed, error], f ReportFilter) ([]RunReport, error) {
	type gathered struct {
		RunReport
		within bool
	}
	var order []*gathered
	runs := map[string]*gathered{}
	for s, err := range trail {
		if err != nil {
			return nil, err
		}
		r := s.Record
		if r.Run == "" || r.Seq == 0 {
			continue
		}
		g, known := runs[r.Run]
		if !known {
			g = &gathered{RunReport: RunReport{
				Run: r.Run, Cluster: r.Cluster, Action: r.Action, Target: r.Target, Severity: r.Severity, First: s.N,
				Approved: []Act{}, Ran: []Command{}, ByHand: []Act{},
			}}
			runs[r.Run] = g
			order = append(order, g)
		}
		g.add(s)
		g.within = g.within || !r.At.Before(f.From) && (f.To.IsZero() || r.At.Before(f.To))
	}
	out := []RunReport{}
	for _, g := range order {
		if g.within && (f.Person == "" || g.involves(f.Person)) {
			out = append(out, g.RunReport)
		}
	}
	return out, nil
}

// add adds a record to the report of its run.
func (g *RunReport) add(s Sealed) {
	r := s.Record
	act := Act{At: r.At, Person: r.Person, Account: r.Account, Via: r.Via, Text: r.Text}
	g.Last = s.N
	switch r.Kind {
	case Requested:
		g.Asked = act
	case Approved:
		g.Approved = append(g.Approved, act)
	case Withdrawn:
		for i, a := range g.Approved {
			if a.Person == r.Person {
				g.Approved = append(g.Approved[:i:i], g.Approved[i+1:]...)
				break
			}
		}
	case Denied:
		g.Denied = &act
		g.Outcome = string(r.Kind)
	case StepStarted:
		if r.Command != "" {
			g.Ran = append(g.Ran, Command{At: r.At, Step: r.Step, Host: r.Host, Command: r.Command})
		}
	case StepEnded:
		for i := len(g.Ran) - 1; i >= 0; i-- {
			if g.Ran[i].Step == r.Step {
				g.Ran[i].Outcome, g.Ran[i].Exit = r.Outcome, r.Exit
				break
			}
		}
	case Ticked:
		g.ByHand = append(g.ByHand, act)
	case Closed:
		if r.Person != "" {
			g.ByHand = append(g.ByHand, act)
		}
		g.Outcome = string(r.Kind)
	case Expired, Unknown:
		g.Outcome = string(r.Kind)
	case Ended, Refused, Cancelled:
		if r.Outcome != "" {
			g.Outcome = r.Outcome
		}
	}
}

func (g *RunReport) involves(person string) bool {
	acts := append(append([]Act{g.Asked}, g.Approved...), g.ByHand...)
	if g.Denied != nil {
		acts = append(acts, *g.Denied)
	}
	for _, a := range acts {
		if a.Person == person {
			return true
		}
	}
	return false
}

// WriteReportJSON writes runs as one JSON array.
func WriteReportJSON(w io.Writer, runs []RunReport) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(runs)
}

// reportColumns are the columns of a CSV report. In a cell with several acts or commands, each has
// its own line.
var reportColumns = []string{
	"run", "cluster", "action", "target", "severity", "asked_at", "asked_by", "reason",
	"approved", "denied", "ran", "by_hand", "outcome", "first_entry", "last_entry",
}

// WriteReportCSV writes runs as CSV, one run per row.
func WriteReportCSV(w io.Writer, runs []RunReport) error {
	c := csv.NewWriter(w)
	if err := c.Write(reportColumns); err != nil {
		return err
	}
	for _, g := range runs {
		var ran []string
		for _, x := range g.Ran {
			ran = append(ran, fmt.Sprintf("%s %s: %s → %s%s", moment(x.At), x.Host, x.Command, orUnseen(x.Outcome), exitOf(x.Exit)))
		}
		denied := []Act{}
		if g.Denied != nil {
			denied = append(denied, *g.Denied)
		}
		if err := writeRow(c, []string{
			g.Run, g.Cluster, g.Action, g.Target, g.Severity, moment(g.Asked.At), g.Asked.Person, g.Asked.Text,
			acts(g.Approved), acts(denied), strings.Join(ran, "\n"), acts(g.ByHand), g.Outcome, fmt.Sprint(g.First), fmt.Sprint(g.Last),
		}); err != nil {
			return err
		}
	}
	c.Flush()
	return c.Error()
}

// cell changes a text so that a spreadsheet does not interpret it as a formula.
func cell(text string) string {
	if text != "" && strings.ContainsRune("=+-@\t\r", rune(text[0])) {
		return "'" + text
	}
	return text
}

func acts(list []Act) string {
	lines := make([]string, len(list))
	for i, a := range list {
		lines[i] = fmt.Sprintf("%s %s (%s)", moment(a.At), a.Person, a.Via)
		if a.Text != "" {
			lines[i] += ": " + a.Text
		}
	}
	return strings.Join(lines, "\n")
}

func moment(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02T15:04:05Z")
}

func orUnseen(outcome string) string {
	if outcome == "" {
		return "end not seen"
	}
	return outcome
}

func exitOf(exit *int) string {
	if exit == nil {
		return ""
	}
	return fmt.Sprintf(" (exit %d)", *exit)
}
