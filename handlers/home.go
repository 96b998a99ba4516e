package handlers

import (
	"context"
	"sync"
	"time"

	"dhbot/auth"
	"dhbot/internal/audit"
	"dhbot/internal/card"
	"dhbot/internal/engine"
	"dhbot/internal/fleet"
	"dhbot/runbooks"
)

const (
	homeVotes   = 5                // runs shown in full, with their buttons
	homePatient = 30 * time.Second // for the hosts' answers
)

// Homes makes the page that the app shows each of its people: what waits for
// votes, what runs and is locked, and how the clusters are; of each cluster
// only what the reader may read. Hosts are asked once for all readers.
type Homes struct {
	s  *Service
	mu sync.Mutex
	// boards are the newest of each cluster, a turn each for asking anew.
	boards map[string]*homeBoard
}

type homeBoard struct {
	asking sync.Mutex
	card   card.Card
	at     time.Time // zero: never asked
}

// NewHomes makes the pages of a service's people.
func NewHomes(s *Service) *Homes { return &Homes{s: s, boards: map[string]*homeBoard{}} }

// Show calls publish with the cards of an account's page: at once with what is
// known, and again when the hosts have answered, where no answer is as new as
// maxAge. Who may read nothing sees why.
func (h *Homes) Show(ctx context.Context, a auth.Account, maxAge time.Duration, publish func(context.Context, []card.Card) error) error {
	who, err := h.s.identify(ctx, a, recent)
	if err != nil {
		return publish(ctx, []card.Card{card.Refusal(err.Error())})
	}
	clusters := h.s.readable(who)
	if len(clusters) == 0 {
		return publish(ctx, []card.Card{card.Refusal("Not allowed: " + who.Name + " may read no cluster. Whoever runs the bot can add you under `roles`.")})
	}
	runs := h.runs(ctx, clusters)
	cards, old := h.withBoards(runs, clusters, maxAge)
	if err := publish(ctx, cards); err != nil || len(old) == 0 {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, homePatient)
	defer cancel()
	var wg sync.WaitGroup
	for _, cl := range old {
		wg.Go(func() { h.ask(ctx, who, cl, maxAge) })
	}
	wg.Wait()
	cards, _ = h.withBoards(h.runs(ctx, clusters), clusters, maxAge)
	return publish(ctx, cards)
}

// readable are the clusters that somebody may read wherever they are.
func (s *Service) readable(who person) []*fleet.Cluster {
	var out []*fleet.Cluster
	for i := range s.Fleet.Clusters {
		if cl := &s.Fleet.Clusters[i]; s.Rules.MayAsk(who.Person, cl.Name, runbooks.Read, "") == nil {
			out = append(out, cl)
		}
	}
	return out
}

// runs are the cards about what is asked for and under way in some clusters.
func (h *Homes) runs(ctx context.Context, clusters []*fleet.Cluster) []card.Card {
	in := map[string]bool{}
	for _, cl := range clusters {
		in[cl.Name] = true
	}
	open, err := h.s.Runs.Open(ctx)
	if err != nil {
		return []card.Card{card.Refusal("My state store does not answer, so I cannot say what is under way.")}
	}
	ended, err := h.s.Runs.Recent(ctx, recentRuns)
	if err != nil {
		h.s.Logger.Warn("recent runs not read for a home page", "err", err)
	}
	open, ended = visible(open, in), visible(ended, in)
	var out []card.Card
	seen := map[string]bool{}
	for _, st := range open {
		seen[st.Run.ID] = true
		if st.Run.State == engine.Waiting && len(out) < homeVotes {
			out = append(out, card.Run(st.Run))
		}
	}
	out = append(out, card.Runs(open, ended))
	locks, err := h.s.Runs.Locks(ctx)
	if err != nil {
		h.s.Logger.Warn("locks not read for a home page", "err", err)
		return out
	}
	var held []engine.Lock
	for _, l := range locks {
		if seen[l.Run] { // a lock belongs to an open run
			held = append(held, l)
		}
	}
	return append(out, card.Locks(held, open, h.s.Now()))
}

func visible(list []engine.Stored, in map[string]bool) []engine.Stored {
	var out []engine.Stored
	for _, st := range list {
		if in[st.Run.Plan.Cluster] {
			out = append(out, st)
		}
	}
	return out
}

// withBoards puts the clusters' boards below the runs; old are the clusters
// whose hosts should be asked again.
func (h *Homes) withBoards(cards []card.Card, clusters []*fleet.Cluster, maxAge time.Duration) (out []card.Card, old []*fleet.Cluster) {
	h.mu.Lock()
	defer h.mu.Unlock()
	out = append(out, cards...)
	for _, cl := range clusters {
		b := h.boards[cl.Name]
		if b == nil || b.at.IsZero() {
			out = append(out, card.Asking(cl.Name))
		} else {
			out = append(out, b.card)
		}
		if b == nil || h.s.Now().Sub(b.at) > maxAge {
			old = append(old, cl)
		}
	}
	return out, old
}

// ask brings a cluster's board up to date. Those who want it at the same time
// wait for one answer.
func (h *Homes) ask(ctx context.Context, who person, cl *fleet.Cluster, maxAge time.Duration) {
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
		h.s.Logger.Error("a cluster's board cannot be made", "cluster", cl.Name, "err", err)
		out = card.Refusal("The board of " + cl.Name + " cannot be made; my log says why.")
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	b.card, b.at = out, h.s.Now()
}

// lookAt asks the hosts of a cluster how all of its processes are, and records
// that somebody looked.
func (s *Service) lookAt(ctx context.Context, who person, cl *fleet.Cluster) (card.Card, error) {
	c := &call{Message: Message{Via: Home, Account: who.Account}, who: who}
	if err := s.setCluster(c, cl); err != nil {
		return card.Card{}, err
	}
	asks, err := s.asker.of(c)
	if err != nil {
		return card.Card{}, err
	}
	answers := make(chan answer, len(asks))
	var wg sync.WaitGroup
	s.send(ctx, &wg, asks, answers)
	known := s.facts(ctx)
	wg.Wait()
	close(answers)
	board := card.Board{Cluster: cl.Name, Rows: rowsOf(asks)}
	for a := range answers {
		fill(&board.Rows[a.index], asks[a.index], a.result)
	}
	known.mark(&board)
	board.At = s.Now()
	s.judge(c, &board)
	r := audit.Record{
		At: s.Now(), Kind: audit.ReadDone, Person: who.Name, Account: who.Account.String(), Via: string(Home),
		Cluster: cl.Name, Action: statusAction, Severity: board.Worst().String(),
	}
	if err := s.Log.Append(ctx, r, ""); err != nil {
		s.Logger.Warn("read not recorded", "err", err)
		board.Unrecorded = true
	}
	return card.Status(board), nil
}
