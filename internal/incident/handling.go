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
	"dhbot/internal/refusal"
	"dhbot/runbooks"
)

// HandlingVersion is the version of the stored form of a Handling.
const HandlingVersion = 1

// Limits of a mute.
const (
	DefaultMute = 30 * time.Minute
	LeastMute   = time.Minute
	MostMute    = time.Hour
)

// Handling has the owner, mute and notes of an incident. It is stored apart from the incident,
// because only the leader writes an incident.
type Handling struct {
	V       int       `json:"v"`
	Cluster string    `json:"cluster"`
	ID      string    `json:"id"`     // id of the incident
	Opened  time.Time `json:"opened"` // begin of the incident
	Owner   *Owner    `json:"owner,omitempty"`
	Mute    *Mute     `json:"mute,omitempty"`
	// Updates are the updates that are not yet posted. Posted is the number of updates that were
	// posted or dropped.
	Updates []Update `json:"updates,omitempty"`
	Posted  int      `json:"posted,omitempty"`
}

// Owner is the person who handles an incident.
type Owner struct {
	Person  string       `json:"person"`
	Account auth.Account `json:"account"`
	Since   time.Time    `json:"since"`
}

// Mute suppresses the notifications of an incident until the time Until, or until the incident's
// level differs from Worst.
type Mute struct {
	By    string            `json:"by"`
	Until time.Time         `json:"until"`
	Worst runbooks.Severity `json:"worst"`
}

// UpdateKind is the kind of an Update.
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

// Update is a change of a Handling, which is posted in the incident's thread.
type Update struct {
	At   time.Time  `json:"at"`
	Kind UpdateKind `json:"kind"`
	By   string     `json:"by,omitempty"` // "" for the bot
	// Who is the new owner if the incident was handed over, or the previous owner if it was
	// released.
	Who   string    `json:"who,omitempty"`
	Until time.Time `json:"until,omitzero"`
	Text  string    `json:"text,omitempty"`
}

// The codes of refused changes.
const (
	Owned      refusal.Code = "owned already"
	NotOwned   refusal.Code = "not owned"
	CannotOwn  refusal.Code = "cannot own" // the person is no longer a member, or has no access
	NotMuted   refusal.Code = "not muted"
	MuteLength refusal.Code = "length of a mute" // the mute is too short or too long
	NeedsText  refusal.Code = "needs a text"
)

// Take makes a person the owner of an incident that has none.
func (h *Handling) Take(who Owner, text string) (audit.Record, error) {
	switch {
	case h.Owner == nil:
	case h.Owner.Person == who.Person:
		return audit.Record{}, refusal.New(Owned, "You own %s already.", h.ID)
	default:
		return audit.Record{}, refusal.New(Owned, "%s has owned %s since %s UTC. To take it over: `handover %s %s`.",
			h.Owner.Person, h.ID, h.Owner.Since.UTC().Format("15:04"), h.ID, who.Person)
	}
	h.Owner = &who
	return h.did(Update{At: who.Since, Kind: Took, By: who.Person, Text: text}), nil
}

// HandOver sets another owner.
func (h *Handling) HandOver(by string, to Owner, text string) (audit.Record, error) {
	if h.Owner != nil && h.Owner.Person == to.Person {
		return audit.Record{}, refusal.New(Owned, "%s owns %s already.", to.Person, h.ID)
	}
	h.Owner = &to
	return h.did(Update{At: to.Since, Kind: Handed, By: by, Who: to.Person, Text: text}), nil
}

// Release removes the owner. by is the person who requested this, or "" for the bot.
func (h *Handling) Release(by string, at time.Time, text string) (audit.Record, error) {
	if h.Owner == nil {
		return audit.Record{}, refusal.New(NotOwned, "%s has no owner.", h.ID)
	}
	was := h.Owner.Person
	h.Owner = nil
	return h.did(Update{At: at, Kind: Released, By: by, Who: was, Text: text}), nil
}

// MuteUntil mutes notifications until the time until, or until the level of the incident changes.
// worst is the level now. The mute must last from LeastMute to MostMute.
func (h *Handling) MuteUntil(by string, at, until time.Time, worst runbooks.Severity) (audit.Record, error) {
	if until.After(at.Add(MostMute)) || until.Before(at.Add(LeastMute)) {
		return audit.Record{}, refusal.New(MuteLength, "A mute lasts from 1m to 1h: `mute %s 30m`, or `mute %s end`.", h.ID, h.ID)
	}
	h.Mute = &Mute{By: by, Until: until, Worst: worst}
	return h.did(Update{At: at, Kind: Muted, By: by, Until: until}), nil
}

// Unmute ends a mute. by is the person who requested this, or "" for the bot.
func (h *Handling) Unmute(by string, at time.Time, why string) (audit.Record, error) {
	if h.Mute == nil {
		return audit.Record{}, refusal.New(NotMuted, "%s is not muted.", h.ID)
	}
	h.Mute = nil
	return h.did(Update{At: at, Kind: Unmuted, By: by, Text: why}), nil
}

// Note adds a person's text to the updates for the thread, and returns the audit record of the
// text.
func (h *Handling) Note(by string, at time.Time, text string) (audit.Record, error) {
	if text == "" {
		return audit.Record{}, refusal.New(NeedsText, "Type what to note: `note %s TEXT`.", h.ID)
	}
	return h.did(Update{At: at, Kind: Noted, By: by, Text: text}), nil
}

// MuteOver returns the reason why a mute is over, or "" if it is not over or there is none. worst
// is the level of the incident now.
func (h *Handling) MuteOver(worst runbooks.Severity, now time.Time) string {
	switch {
	case h.Mute == nil:
		return ""
	case worst != h.Mute.Worst:
		return "the severity changed to " + worst.String()
	case !now.Before(h.Mute.Until):
		return "the time of the mute is over"
	default:
		return ""
	}
}

// IsMuted reports whether notifications are muted now.
func (h *Handling) IsMuted(worst runbooks.Severity, now time.Time) bool {
	return h.Mute != nil && h.MuteOver(worst, now) == ""
}

// did adds an update for the thread, and returns its audit record.
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

// NextUpdate returns the next update to post and its number. ok is false if there is none.
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

// handlings is the prefix of the names under which a Handling is stored.
const handlings = "handling/"

func handlingName(cluster, id string) string { return handlings + cluster + "/" + id }

// StoredHandling is a Handling with its revision in the store, or 0 if it is not stored.
type StoredHandling struct {
	Handling
	Rev int64
}

// Name returns the name under which the Handling is stored.
func (h *Handling) Name() string { return handlingName(h.Cluster, h.ID) }

// Handlings returns the stored handlings of a cluster's incidents. The keys are the ids of the
// incidents.
func Handlings(ctx context.Context, k Keeper, cluster string) (map[string]StoredHandling, error) {
	out := map[string]StoredHandling{}
	err := k.WatchState(ctx, handlings+cluster+"/", func(name string, data []byte, rev int64) error {
		h := StoredHandling{Rev: rev}
		if data == nil { // not stored by the bot, so it is ignored
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

// HandlingOf returns the stored handling of an incident, or an empty Handling. After the monitoring
// of a cluster was turned off and on, ids are used again. So the handling must also have the same
// begin as the incident.
func HandlingOf(list map[string]StoredHandling, cluster string, i Incident) StoredHandling {
	h, ok := list[i.ID]
	if ok && h.Opened.Equal(i.Opened) {
		return h
	}
	return StoredHandling{Rev: h.Rev, Handling: Handling{V: HandlingVersion, Cluster: cluster, ID: i.ID, Opened: i.Opened}}
}
