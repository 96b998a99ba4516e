package incident

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"dhbot/auth"
	"dhbot/internal/audit"
	"dhbot/runbooks"
)

// HandlingVersion is the version of the stored form of a Handling.
const HandlingVersion = 1

// How long the notifications of an incident may be muted.
const (
	DefaultMute = 30 * time.Minute
	LeastMute   = time.Minute
	MostMute    = time.Hour
)

// Handling is what people do about an incident. It is stored apart from the
// incident, which the leader alone writes.
type Handling struct {
	V       int       `json:"v"`
	Cluster string    `json:"cluster"`
	ID      string    `json:"id"`     // of the incident
	Opened  time.Time `json:"opened"` // when the incident was
	Owner   *Owner    `json:"owner,omitempty"`
	Mute    *Mute     `json:"mute,omitempty"`
	// Updates are not posted yet; Posted is how many were, or were dropped.
	Updates []Update `json:"updates,omitempty"`
	Posted  int      `json:"posted,omitempty"`
}

// Owner is who looks after an incident.
type Owner struct {
	Person  string       `json:"person"`
	Account auth.Account `json:"account"`
	Since   time.Time    `json:"since"`
}

// Mute holds the notifications of an incident back until a time, or until its
// level is another than Worst.
type Mute struct {
	By    string            `json:"by"`
	Until time.Time         `json:"until"`
	Worst runbooks.Severity `json:"worst"`
}

// UpdateKind is what was done about an incident.
type UpdateKind string

// The closed set of kinds.
const (
	Took     UpdateKind = "took"
	Handed   UpdateKind = "handed over"
	Released UpdateKind = "released"
	Muted    UpdateKind = "muted"
	Unmuted  UpdateKind = "unmuted"
	Noted    UpdateKind = "noted"
)

// Update is one change, for the incident's thread.
type Update struct {
	At   time.Time  `json:"at"`
	Kind UpdateKind `json:"kind"`
	By   string     `json:"by,omitempty"` // "" for the bot
	// Who is whom the change concerns, where that is not By: the new owner, or the
	// one before.
	Who   string    `json:"who,omitempty"`
	Until time.Time `json:"until,omitzero"`
	Text  string    `json:"text,omitempty"`
}

// HandlingError refuses a change, in words for the person.
type HandlingError struct{ Text string }

func (e *HandlingError) Error() string { return e.Text }

func refuse(format string, args ...any) error { return &HandlingError{fmt.Sprintf(format, args...)} }

// Take makes a person the owner of an incident that has none.
func (h *Handling) Take(who Owner, text string) (audit.Record, error) {
	switch {
	case h.Owner == nil:
	case h.Owner.Person == who.Person:
		return audit.Record{}, refuse("You own %s already.", h.ID)
	default:
		return audit.Record{}, refuse("%s owns %s since %s UTC. To take it over: `handover %s %s`.",
			h.Owner.Person, h.ID, h.Owner.Since.UTC().Format("15:04"), h.ID, who.Person)
	}
	h.Owner = &who
	return h.did(Update{At: who.Since, Kind: Took, By: who.Person, Text: text}), nil
}

// HandOver makes another person the owner.
func (h *Handling) HandOver(by string, to Owner, text string) (audit.Record, error) {
	if h.Owner != nil && h.Owner.Person == to.Person {
		return audit.Record{}, refuse("%s owns %s already.", to.Person, h.ID)
	}
	h.Owner = &to
	return h.did(Update{At: to.Since, Kind: Handed, By: by, Who: to.Person, Text: text}), nil
}

// Release leaves the incident without an owner; by is "" for the bot.
func (h *Handling) Release(by string, at time.Time, text string) (audit.Record, error) {
	if h.Owner == nil {
		return audit.Record{}, refuse("%s has no owner.", h.ID)
	}
	was := h.Owner.Person
	h.Owner = nil
	return h.did(Update{At: at, Kind: Released, By: by, Who: was, Text: text}), nil
}

// MuteUntil holds notifications back while the level stays worst, for MostMute at
// most.
func (h *Handling) MuteUntil(by string, at, until time.Time, worst runbooks.Severity) (audit.Record, error) {
	if until.After(at.Add(MostMute)) || until.Before(at.Add(LeastMute)) {
		return audit.Record{}, refuse("Notifications are muted for 1m to 1h: `mute %s 30m`, or `mute %s end`.", h.ID, h.ID)
	}
	h.Mute = &Mute{By: by, Until: until, Worst: worst}
	return h.did(Update{At: at, Kind: Muted, By: by, Until: until}), nil
}

// Unmute ends a mute; by is "" for the bot.
func (h *Handling) Unmute(by string, at time.Time, why string) (audit.Record, error) {
	if h.Mute == nil {
		return audit.Record{}, refuse("%s is not muted.", h.ID)
	}
	h.Mute = nil
	return h.did(Update{At: at, Kind: Unmuted, By: by, Text: why}), nil
}

// Note keeps a person's words in the trail, from which a timeline is made, and
// in the thread.
func (h *Handling) Note(by string, at time.Time, text string) (audit.Record, error) {
	if text == "" {
		return audit.Record{}, refuse("Type what to note: `note %s TEXT`.", h.ID)
	}
	return h.did(Update{At: at, Kind: Noted, By: by, Text: text}), nil
}

// MuteOver says why a mute is over, "" where it holds.
func (h *Handling) MuteOver(worst runbooks.Severity, now time.Time) string {
	switch {
	case h.Mute == nil:
		return ""
	case worst != h.Mute.Worst:
		return "the level changed to " + worst.String()
	case !now.Before(h.Mute.Until):
		return "its time is up"
	default:
		return ""
	}
}

// IsMuted says that notifications are held back now.
func (h *Handling) IsMuted(worst runbooks.Severity, now time.Time) bool {
	return h.Mute != nil && h.MuteOver(worst, now) == ""
}

// did notes a change for the thread, and returns its record.
func (h *Handling) did(u Update) audit.Record {
	h.Updates = append(h.Updates, u)
	if n := len(h.Updates) - mostNotes; n > 0 {
		h.Updates, h.Posted = slices.Clone(h.Updates[n:]), h.Posted+n
	}
	outcome := string(u.Kind)
	if u.Who != "" && u.Who != u.By {
		outcome += " " + map[UpdateKind]string{Handed: "to ", Released: "from "}[u.Kind] + u.Who
	}
	if !u.Until.IsZero() {
		outcome += " until " + u.Until.UTC().Format("15:04 UTC")
	}
	return audit.Record{
		At: u.At, Kind: audit.Announced, Person: u.By, Cluster: h.Cluster, Action: "incident", Target: h.ID, Outcome: outcome, Text: u.Text,
	}
}

// NextUpdate is the update to be posted next and its number.
func (h *Handling) NextUpdate() (u Update, n int, ok bool) {
	if len(h.Updates) == 0 {
		return Update{}, 0, false
	}
	return h.Updates[0], h.Posted + 1, true
}

// UpdatePosted drops the updates up to number n.
func (h *Handling) UpdatePosted(n int) {
	drop := min(max(n-h.Posted, 0), len(h.Updates))
	h.Updates, h.Posted = slices.Clone(h.Updates[drop:]), h.Posted+drop
}

// handlings is the name under which handlings are kept.
const handlings = "handling/"

func handlingName(cluster, id string) string { return handlings + cluster + "/" + id }

// StoredHandling is a handling and the revision it was read at, 0 for one that is
// not stored.
type StoredHandling struct {
	Handling
	Rev int64
}

// Name is the name under which a handling is kept.
func (h *Handling) Name() string { return handlingName(h.Cluster, h.ID) }

// Handlings lists what people do about the incidents of a cluster, by id.
func Handlings(ctx context.Context, k Keeper, cluster string) (map[string]StoredHandling, error) {
	out := map[string]StoredHandling{}
	err := k.WatchState(ctx, handlings+cluster+"/", func(name string, data []byte, rev int64) error {
		h := StoredHandling{Rev: rev}
		if data == nil { // no word of it counts
			id := strings.TrimPrefix(name, handlings+cluster+"/")
			out[id] = h
			return nil
		}
		err := decodeForm(data, HandlingVersion, &h.Handling)
		switch {
		case errors.Is(err, ErrNewerForm):
			return err
		case err != nil || h.Name() != name:
			return fmt.Errorf("the stored handling %s cannot be read: %w", name, err)
		}
		out[h.ID] = h
		return nil
	})
	return out, err
}

// HandlingOf is what people do about an incident: what is stored, or nothing yet.
// Ids are used again where a cluster is watched anew, and so the time of opening counts.
func HandlingOf(list map[string]StoredHandling, cluster string, i Incident) StoredHandling {
	h, ok := list[i.ID]
	if ok && h.Opened.Equal(i.Opened) {
		return h
	}
	return StoredHandling{Rev: h.Rev, Handling: Handling{V: HandlingVersion, Cluster: cluster, ID: i.ID, Opened: i.Opened}}
}
