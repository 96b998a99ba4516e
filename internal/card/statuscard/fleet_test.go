package statuscard_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"dhbot/internal/card"
	"dhbot/internal/card/statuscard"
	"dhbot/internal/fleet"
	"dhbot/internal/observe"
	"dhbot/internal/remote"
	"dhbot/internal/status"
	"dhbot/runbooks"
	"dhbot/runbooks/catalogs"
)

// The card of 500 hosts in any state shows counts and the worst ten. It never
// names every host, but always the worst.
func TestStatusOfALargeFleet(t *testing.T) {
	const hosts = 500
	states := []observe.State{observe.Up, observe.Failed, observe.Trouble, observe.Unseen, observe.NotMonitored, observe.Down}
	for seed := range uint64(40) {
		r := rand.New(rand.NewPCG(seed, 1))
		bad := r.IntN(101) // the percentage of rows in a random state; the others are up
		b := status.Board{Cluster: "prod", At: time.Unix(1_700_000_000, 0)}
		processes := []string{"tailer1"}
		if seed%2 == 0 {
			processes = []string{"tailer1", "db_query_server", "db_dis"}
		}
		for h := range hosts {
			for _, id := range processes {
				state := observe.Up
				if r.IntN(100) < bad {
					state = states[r.IntN(len(states))]
				}
				b.Rows = append(b.Rows, fleetRow(r, id, fmt.Sprintf("query-%03d", h), state))
			}
		}
		b.Rows[0] = fleetRow(r, processes[0], "query-000", observe.Failed)
		b.Rows[0].Pending, b.Rows[0].Maintenance = false, nil
		c := statuscard.Status(b)
		text := card.PlainText(c)
		named := map[string]bool{}
		for h := range hosts {
			if name := fmt.Sprintf("query-%03d", h); strings.Contains(text, name) {
				named[name] = true
			}
		}
		if lines := strings.Count(text, "\n"); len(named) > 60 || lines > 45 || len(text) > 6_000 {
			t.Errorf("seed %d: %d hosts named, %d lines, %d bytes:\n%s", seed, len(named), lines, len(text), text)
		}
		if !strings.Contains(text, "🔴") || !strings.HasPrefix(card.PlainLine(c.Head), "🔴") {
			t.Errorf("seed %d: the worst is not first:\n%s", seed, text)
		}
	}
}

// fleetRow returns a process in a state; some have no answer yet, are in
// maintenance, or are down because of a dependency.
func fleetRow(r *rand.Rand, id, host string, state observe.State) status.Row {
	p := catalogs.Process{ID: id, Title: id, Level: runbooks.Critical, Manager: runbooks.Monit, Service: id, Impact: "Queries end."}
	o := observe.Observation{Manager: p.Manager, Service: id, State: state, Status: string(state.String()), Outcome: remote.Answered}
	if state == observe.Unseen {
		o.Why = "could not connect to " + host + ": i/o timeout"
	}
	if state == observe.Up || state == observe.Trouble {
		o.PID, o.Alive = 705, observe.AliveProved
	}
	row := status.Row{
		Process: p, Host: host, Command: "sudo -u irisadmin monit status " + id, Observation: o,
		Finding: observe.Assess(o, observe.Expect{Up: true, Level: p.Level}), Pending: r.IntN(20) == 0,
	}
	if r.IntN(30) == 0 {
		row.Maintenance = &fleet.Maintenance{}
	}
	return row
}
