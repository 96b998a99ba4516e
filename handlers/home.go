package handlers

import (
	"context"
	"sync"
	"time"

	"dhbot/auth"
	"dhbot/handlers/call"
	"dhbot/internal/audit"
	"dhbot/internal/card"
	"dhbot/internal/card/runcard"
	"dhbot/internal/card/statuscard"
	"dhbot/internal/engine"
	"dhbot/internal/fleet"
	"dhbot/internal/incident"
	"dhbot/internal/status"
)

const (
	homeVotes   = 5                // runs with buttons
	homePatient = 30 * time.Second // how long a refresh queries the hosts
)

// Homes makes the Home tab of each person: the state of the clusters, the requests that
// need approval, and running runs with their locks. A tab shows only clusters that its
// reader may read. Hosts are queried once for all readers.
type Homes struct {
	s  *Service
	mu sync.Mutex
	// boards has the newest board of each cluster, by name.
	boards map[string]*homeBoard
}

type homeBoard struct {
	asking sync.Mutex // held during a query
	card   card.Card
	at     time.Time // zero: never queried
}

// NewHomes returns the Home tabs of a service.
func NewHomes(s *Service) *Homes { return &Homes{s: s, boards: map[string]*homeBoard{}} }

// Show calls publish at once with the cards of an account's Home tab, made from the known data. If
// this data is older than maxAge, Show queries the hosts and calls publish again. A person without
// read access sees the reason.
func (h *Homes) Show(ctx context.Context, a auth.Account, maxAge time.Duration, publish func(context.Context, []card.Card) error) error {
	who, err := h.s.Identify(ctx, a, call.Recent)
	if err != nil {
		return publish(ctx, []card.Card{card.Refusal(err.Error())})
	}
	clusters, sees := h.s.Readable(who.Person, ""), h.s.Sees(who.Person, "")
	if len(clusters) == 0 {
		return publish(ctx, []card.Card{card.Refusal("Not allowed: " + who.Name + " may read no cluster. The bot's administrator can add you under `roles`.")})
	}
	runs := h.runs(ctx, sees)
	cards, old := h.withBoards(runs, clusters, maxAge)
	if err := publish(ctx, cards); err != nil || len(old) == 0 {
		return err
	}
	var wg sync.WaitGroup
	for _, cl := range old {
		wg.Go(func() { h.refresh(ctx, who, cl, maxAge) })
	}
	wg.Wait()
	cards, _ = h.withBoards(h.runs(ctx, sees), clusters, maxAge)
	return publish(ctx, cards)
}

// runs returns the cards of requests and running runs in the clusters that a person may
// read.
func (h *Homes) runs(ctx context.Context, sees func(cluster string) bool) []card.Card {
	in, err := h.s.InHand(ctx, sees)
	if err != nil {
		h.s.Logger.WarnContext(ctx, "could not read the runs for a Home tab", "err", err)
		return []card.Card{card.Refusal("My state store does not answer, so I cannot show the open runs.")}
	}
	var out []card.Card
	for _, st := range in.Open {
		if st.Run.State == engine.Waiting && len(out) < homeVotes {
			out = append(out, runcard.Request(st.Run))
		}
	}
	return append(out, runcard.Runs(in.Open, in.Ended), runcard.Locks(in.Locks, in.Open, h.s.Now()))
}

// withBoards puts the clusters' boards above the runs. The result old lists the clusters
// whose hosts must be queried again.
func (h *Homes) withBoards(cards []card.Card, clusters []*fleet.Cluster, maxAge time.Duration) (out []card.Card, old []*fleet.Cluster) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, cl := range clusters {
		b := h.boards[cl.Name]
		if b == nil || b.at.IsZero() {
			out = append(out, statuscard.Asking(cl.Name))
		} else {
			out = append(out, b.card)
		}
		if b == nil || h.s.Now().Sub(b.at) > maxAge {
			old = append(old, cl)
		}
	}
	return append(out, cards...), old
}

// refresh updates a cluster's board. Concurrent callers share one query.
func (h *Homes) refresh(ctx context.Context, who call.Person, cl *fleet.Cluster, maxAge time.Duration) {
	h.mu.Lock()
	b := h.boards[cl.Name]
	if b == nil {
		b = &homeBoard{}
		h.boards[cl.Name] = b
	}
	h.mu.Unlock()
	b.asking.Lock()
	defer b.asking.Unlock()
	h.mu.Lock()
	fresh := !b.at.IsZero() && h.s.Now().Sub(b.at) <= maxAge
	h.mu.Unlock()
	if fresh {
		return
	}
	out, err := h.s.lookAt(ctx, who, cl)
	if err != nil {
		h.s.Logger.ErrorContext(ctx, "the status of a cluster could not be determined", "cluster", cl.Name, "err", err)
		out = card.Refusal("The status of " + cl.Name + " could not be determined; my log has the reason.")
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	b.card, b.at = out, h.s.Now()
}

// lookAt queries the hosts of a cluster about all of its processes, and records the read. Processes
// of hosts that do not answer within homePatient are unknown.
func (s *Service) lookAt(ctx context.Context, who call.Person, cl *fleet.Cluster) (card.Card, error) {
	board, err := s.Status.Assess(ctx, status.Query{Scope: incident.Scope{Cluster: cl.Name}, Within: homePatient})
	if err != nil {
		return card.Card{}, err
	}
	r := audit.Record{
		At: s.Now(), Kind: audit.ReadDone, Person: who.Name, Account: who.Account.String(), Via: string(call.Home),
		Cluster: cl.Name, Action: "status", Severity: board.Worst().String(),
	}
	if err := s.Log.Append(ctx, r, ""); err != nil {
		s.Logger.WarnContext(ctx, "read not recorded", "err", err)
		board.Unrecorded = true
	}
	return statuscard.Status(board), nil
}
