package monitor_test

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"dhbot/auth"
	"dhbot/internal/audit"
	"dhbot/internal/incident"
	"dhbot/internal/refusal"
	"dhbot/internal/test/fakeclock"
	"dhbot/runbooks"
)

// handle changes the owner, mute or notes of the open incident, as a handler on another replica
// does.
func (b *bench) handle(do func(h *incident.Handling) (audit.Record, error)) {
	b.t.Helper()
	c, _, err := incident.KeptCluster(b.t.Context(), b.store, "prod")
	if err != nil || len(c.Incidents) != 1 {
		b.t.Fatalf("stored %+v, %v, want one incident", c, err)
	}
	list, err := incident.Handlings(b.t.Context(), b.store, "prod")
	if err != nil {
		b.t.Fatal(err)
	}
	h := incident.HandlingOf(list, "prod", *c.Incidents[0])
	r, err := do(&h.Handling)
	if err != nil {
		b.t.Fatal(err)
	}
	data, err := incident.Encode(&h.Handling)
	if err != nil {
		b.t.Fatal(err)
	}
	if _, err := b.store.SetWatchState(b.t.Context(), h.Name(), data, h.Rev, []audit.Record{r}, ""); err != nil {
		b.t.Fatal(err)
	}
}

func (b *bench) take(who string) {
	b.handle(func(h *incident.Handling) (audit.Record, error) {
		return h.Take(incident.Owner{Person: who, Since: time.Now()}, "")
	})
}

func (b *bench) mute(worst runbooks.Severity) {
	b.handle(func(h *incident.Handling) (audit.Record, error) {
		return h.MuteUntil("anna", time.Now(), time.Now().Add(time.Hour), worst)
	})
}

func (b *bench) text(n int) string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.posts[n].text
}

// The card names the owner within seconds, the thread reports the owner once, and the next
// leader knows the owner. The owner is forgotten with the incident.
func TestOwnerIsShownAndOutlivesALeader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.set(dis, runbooks.Critical)
		_, stop := b.lead(prod)
		fakeclock.Advance(2 * time.Minute)
		if !strings.Contains(b.text(0), "No owner yet") {
			t.Errorf("at first: %s", b.text(0))
		}
		b.take("anna")
		fakeclock.Advance(5 * time.Second)
		b.want("🔴 Sev 1 · Critical", "1> 👤 anna is on it")
		if !strings.Contains(b.text(0), "anna has been on it since") {
			t.Errorf("then: %s", b.text(0))
		}
		stop()
		_, stop = b.lead(prod)
		defer func() { stop() }()
		fakeclock.Advance(time.Minute)
		b.want("🔴 Sev 1 · Critical", "1> 👤 anna is on it")
		if !strings.Contains(b.text(0), "anna has been on it since") {
			t.Errorf("under the next leader: %s", b.text(0))
		}
		b.set(dis, runbooks.None)
		fakeclock.Advance(10 * time.Minute)
		b.want("✅ Resolved after", "1> 👤 anna is on it", "1> 🟢 Resolved")
		if list, err := incident.Handlings(t.Context(), b.store, "prod"); err != nil || len(list) != 0 {
			t.Errorf("still kept: %v, %v", list, err)
		}
	})
}

// If the owner of an incident may no longer own it, the incident is released, and the post names
// the former owner. A failed look-up does not release the incident.
func TestIncidentOfFormerOperatorIsReleased(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.set(dis, runbooks.Critical)
		_, stop := b.lead(prod)
		defer stop()
		fakeclock.Advance(2 * time.Minute)
		b.take("anna")
		refuse := func(code refusal.Code) {
			b.mu.Lock()
			defer b.mu.Unlock()
			b.refuse = &refusal.Error{Code: code, Text: "no"}
		}
		refuse(auth.LookupFailed)
		fakeclock.Advance(2 * time.Minute)
		b.want("🔴 Sev 1 · Critical", "1> 👤 anna is on it")
		refuse(auth.Deactivated)
		fakeclock.Advance(2 * time.Minute)
		b.want("🔴 Sev 1 · Critical", "1> 👤 anna is on it", "1> 👤 No owner now. I released the incident: anna is no longer allowed to own it")
		if !strings.Contains(b.text(0), "No owner yet") {
			t.Errorf("the card: %s", b.text(0))
		}
		if got := b.records("incident"); !slices.Equal(got, []string{"opened: Sev 1 · Critical", "took", "released from anna"}) {
			t.Errorf("the trail has %q", got)
		}
	})
}

// A mute holds back posts, but the card stays red. The mute ends when the level changes, or when
// the time of the mute is over.
func TestMuteEndsWithTheLevel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.set(dis, runbooks.Low)
		_, stop := b.lead(prod)
		defer stop()
		fakeclock.Advance(2 * time.Minute)
		b.mute(runbooks.Low)
		fakeclock.Advance(time.Minute)
		b.set(ltds, runbooks.Low) // a separate incident: not muted
		fakeclock.Advance(time.Minute)
		b.want("🟡 Sev 3", "1> 🔕 anna muted notifications", "🟡 Sev 3")
		b.set(dis, runbooks.Critical)
		fakeclock.Advance(2 * time.Minute)
		b.want("🔴 Sev 1 · Critical", "1> 🔕 anna muted", "🟡 Sev 3", "1> 🔴 Sev 1 · Critical", "1> 🔔 Notifications are on again: the severity changed")
	})
}

func TestMuteHoldsBackAndEndsInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.set(dis, runbooks.Low)
		b.set(ltds, runbooks.Critical)
		_, stop := b.lead(prod) // both are one incident
		defer stop()
		fakeclock.Advance(2 * time.Minute)
		b.mute(runbooks.Critical)
		fakeclock.Advance(time.Minute)
		b.set(dis, runbooks.Moderate)
		fakeclock.Advance(5 * time.Minute)
		b.want("🔴 Sev 1 · Critical", "1> 🔕 anna muted")
		if !strings.Contains(b.text(0), "Muted until") || !strings.Contains(b.text(0), "Sev 2") {
			t.Errorf("the card: %s", b.text(0))
		}
		fakeclock.Advance(time.Hour)
		b.want("🔴 Sev 1 · Critical", "1> 🔕 anna muted", "1> 🔔 Notifications are on again: the time of the mute is over")
	})
}
