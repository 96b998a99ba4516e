package incident

import (
	"fmt"
	"slices"
	"time"

	"dhbot/internal/audit"
	"dhbot/runbooks"
)

// Cluster is the state of the background monitoring of a cluster.
type Cluster struct {
	V       int    `json:"v"`
	Cluster string `json:"cluster"`
	Memory  Memory `json:"memory,omitempty"`
	// Incidents are the incidents that are not over, or whose end is not yet posted.
	Incidents []*Incident `json:"incidents,omitempty"`
	// Last is the number of the newest incident.
	Last int `json:"last,omitempty"`
}

// Incident is a set of related problems. It has one message, and its changes are posted in the
// message's thread.
type Incident struct {
	ID     string     `json:"id"` // "prod-7"
	Opened time.Time  `json:"opened"`
	Items  []Item     `json:"items"`
	Ended  *time.Time `json:"ended,omitempty"`
	// Why is the reason if the incident was ended before it was over, because the cluster is no
	// longer monitored. Otherwise it is "".
	Why string `json:"why,omitempty"`
	Message
}

// Item is one current or past problem of an incident.
type Item struct {
	Change                    // the last posted change
	First   time.Time         `json:"first"` // begin of the problem
	Peak    runbooks.Severity `json:"peak"`
	Hold    string            `json:"hold,omitempty"`
	Behind  []runbooks.Target `json:"behind,omitempty"` // targets that are down because of this problem
	Flapped bool              `json:"flapped,omitempty"`
}

// Message is the Slack message of an incident or watch, with the notes that are not yet posted in
// its thread. TS is "" until the message is posted. Begun means that the bot began to post it, so
// the message may exist although TS is unknown.
type Message struct {
	Channel string   `json:"channel"`
	Thread  string   `json:"thread,omitempty"` // the thread that contains the message
	TS      string   `json:"ts,omitempty"`
	Begun   bool     `json:"begun,omitempty"`
	Notes   []Change `json:"notes,omitempty"`
	// Told is the number of notes that were posted or dropped. Notes are numbered from 1, so the
	// next note has the number Told+1.
	Told int `json:"told_notes,omitempty"`
}

// mostNotes is the maximum number of notes that wait to be posted. If there are more, the oldest
// are dropped, because the message itself shows the current state.
const mostNotes = 20

func (m *Message) note(c Change) {
	m.Notes = append(m.Notes, c)
	if n := len(m.Notes) - mostNotes; n > 0 {
		m.Notes, m.Told = slices.Clone(m.Notes[n:]), m.Told+n
	}
}

// NextNote returns the next note to post and its number. ok is false if there is none.
func (m *Message) NextNote() (c Change, n int, ok bool) {
	if len(m.Notes) == 0 {
		return Change{}, 0, false
	}
	return m.Notes[0], m.Told + 1, true
}

// NoteTold drops the posted note.
func (m *Message) NoteTold() { m.Notes, m.Told = m.Notes[1:], m.Told+1 }

// Open returns the items that are not over.
func (i *Incident) Open() []Item {
	return slices.DeleteFunc(slices.Clone(i.Items), func(it Item) bool { return it.Over() })
}

// Worst returns the worst level of the open items, or None.
func (i *Incident) Worst() runbooks.Severity {
	worst := runbooks.None
	for _, it := range i.Open() {
		worst = max1(worst, it.To)
	}
	return worst
}

// Peak returns the worst level that the incident ever had.
func (i *Incident) Peak() runbooks.Severity {
	worst := runbooks.None
	for _, it := range i.Items {
		worst = max1(worst, it.Peak)
	}
	return worst
}

// See updates the state with the results of one check of the whole cluster. It returns audit
// records of the changes. If there are none, there is nothing new to store.
func (c *Cluster) See(list []Seen, at time.Time, r Rules, channel string) []audit.Record {
	changes := c.Memory.See(list, at, r)
	var records []audit.Record
	var fresh []Change
	for _, ch := range changes {
		i := c.incident(ch.Target)
		if i == nil {
			if !ch.Over() {
				fresh = append(fresh, ch)
			}
			continue
		}
		i.change(ch)
		records = append(records, record(c.Cluster, i.ID, ch, outcome(ch)))
	}
	if len(fresh) > 0 {
		i := c.open(fresh, at, channel)
		for _, ch := range fresh {
			records = append(records, record(c.Cluster, i.ID, ch, "opened"))
		}
	}
	for _, i := range c.Incidents {
		if i.Ended == nil && len(i.Open()) == 0 {
			end := at
			i.Ended = &end
		}
		i.held(list)
	}
	return records
}

// incident returns the open incident that has an item about the target, or nil.
func (c *Cluster) incident(t runbooks.Target) *Incident {
	for _, i := range c.Incidents {
		if i.Ended == nil && slices.ContainsFunc(i.Items, func(it Item) bool { return it.Target == t }) {
			return i
		}
	}
	return nil
}

func (c *Cluster) open(list []Change, at time.Time, channel string) *Incident {
	c.Last++
	i := &Incident{ID: fmt.Sprintf("%s-%d", c.Cluster, c.Last), Opened: at, Message: Message{Channel: channel}}
	for _, ch := range list {
		i.Items = append(i.Items, Item{Change: ch, First: ch.Since, Peak: ch.To, Flapped: ch.Flaps > 0})
	}
	c.Incidents = append(c.Incidents, i)
	return i
}

// change updates the item of the change's target, and adds a note about the change.
func (i *Incident) change(ch Change) {
	for n := range i.Items {
		it := &i.Items[n]
		if it.Target != ch.Target {
			continue
		}
		if it.Over() {
			it.First = ch.Since
		}
		it.Change = ch
		it.Peak = max1(it.Peak, ch.To)
		it.Flapped = it.Flapped || ch.Flaps > 0
	}
	i.note(ch)
}

// held updates the fields Hold and Behind of all items, which the message shows. list has the
// results of the last check.
func (i *Incident) held(list []Seen) {
	for n := range i.Items {
		it := &i.Items[n]
		it.Hold, it.Behind = "", nil
		for _, s := range list {
			if s.Target == it.Target {
				it.Hold = s.Hold
			}
			if slices.Contains(s.Behind, it.Target) {
				it.Behind = append(it.Behind, s.Target)
			}
		}
	}
}

// GiveUp ends every incident before it is over, because the cluster is no longer monitored.
func (c *Cluster) GiveUp(at time.Time, why string) []audit.Record {
	var records []audit.Record
	for _, i := range c.Incidents {
		if i.Ended != nil {
			continue
		}
		end := at
		i.Ended, i.Why = &end, why
		records = append(records, audit.Record{
			At: at, Kind: audit.Note, Cluster: c.Cluster, Action: "incident", Target: i.Items[0].Target.String(),
			Severity: i.Worst().String(), Outcome: "given up", Text: i.ID + " · " + why,
		})
	}
	c.Memory = nil
	return records
}

// Drop removes an incident whose end was posted.
func (c *Cluster) Drop(id string) {
	c.Incidents = slices.DeleteFunc(c.Incidents, func(i *Incident) bool { return i.ID == id })
}

// outcome returns the outcome of a change, as the audit trail names it.
func outcome(c Change) string {
	switch {
	case c.Over():
		return "resolved"
	case c.Flaps > 0:
		return "flapping"
	default:
		return "changed"
	}
}

// record returns the audit record of a change. Its kind is a note, because the bot itself reports
// the change.
func record(cluster, id string, c Change, outcome string) audit.Record {
	text := fmt.Sprintf("%s · %s, since %s UTC", id, c.Headline, c.Since.UTC().Format("15:04:05"))
	if c.From != runbooks.None && !c.Over() {
		text += ", was " + c.From.String()
	}
	if c.Flaps > 0 {
		text += fmt.Sprintf(", %d changes", c.Flaps)
	}
	return audit.Record{
		At: c.At, Kind: audit.Note, Cluster: cluster, Action: "incident", Target: c.Target.String(),
		Severity: c.To.String(), Outcome: outcome + ": " + c.To.String(), Text: text,
	}
}
