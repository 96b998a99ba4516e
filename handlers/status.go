package handlers

import (
	"context"
	"sync"
	"time"

	"dhbot/internal/audit"
	"dhbot/internal/card"
	"dhbot/internal/fleet"
	"dhbot/internal/probe"
	"dhbot/internal/remote"
	"dhbot/runbooks"
)

const (
	// firstLook is when what is known is shown, however many hosts are still
	// silent.
	firstLook = 2 * time.Second
	// nextLook is how often a shown board is brought up to date after that.
	nextLook = 2 * time.Second
	// asksPerHost is how many status commands are under way on one host at a
	// time: below sshd's usual MaxSessions of 10, and no burden on monit.
	asksPerHost = 6
	// statusAction is the catalog's name of what asks a supervisor.
	statusAction = "status"
)

// status asks every host that matters at once and shows what comes as it
// comes: a slow host holds nothing back.
func (s *Service) status(ctx context.Context, c *call) error {
	asks, err := asksOf(&s.planner, c)
	if err != nil {
		return err
	}
	if len(asks) == 0 {
		return said("Nothing to ask: no process is configured there.")
	}
	board := card.Board{Cluster: c.cluster.Name, Host: hostName(c.host), Rows: make([]card.Row, len(asks)), Unrecorded: c.Key == "" && c.Via != Terminal}
	for i, a := range asks {
		board.Rows[i] = card.Row{Process: *a.process, Host: a.host.Name, Pending: true}
	}
	if err := s.show(ctx, c, asks, &board); err != nil {
		return err
	}
	if err := s.lookUpstream(ctx, c, &board); err != nil {
		return err
	}
	return s.recordRead(ctx, c, board)
}

// lookUpstream asks what that which is out needs, where the board does not say
// it already, and shows the board again.
func (s *Service) lookUpstream(ctx context.Context, c *call, board *card.Board) error {
	asks, err := s.asksFor(c, unseenNeeds(c.catalog, c.cluster, board.Rows))
	if err != nil || len(asks) == 0 {
		return err
	}
	answers := make(chan answer, len(asks))
	var wg sync.WaitGroup
	s.send(ctx, &wg, asks, answers)
	wg.Wait()
	close(answers)
	board.Upstream = make([]card.Row, len(asks))
	for i, a := range asks {
		board.Upstream[i] = card.Row{Process: *a.process, Host: a.host.Name, Pending: true}
	}
	for a := range answers {
		s.fill(c, &board.Upstream[a.index], asks[a.index], a.result)
	}
	return s.showBoard(ctx, c, *board)
}

// ask is one status command.
type ask struct {
	process *runbooks.Process
	host    *fleet.Host
	step    runbooks.Step
}

// asksOf resolves a status call into the commands to send, hosts in config
// order.
func asksOf(planner *runbooks.Planner, c *call) ([]ask, error) {
	var out []ask
	for i := range c.cluster.Hosts {
		h := &c.cluster.Hosts[i]
		if c.host != nil && h.Name != c.host.Name {
			continue
		}
		for _, id := range h.Processes {
			if c.process != nil && id != c.process.ID {
				continue
			}
			p, ok := c.catalog.Process(id)
			if !ok {
				continue // the config's cross-check reports it
			}
			asks, err := statusAsks(planner, c, p, h)
			if err != nil {
				return nil, err
			}
			out = append(out, asks...)
		}
	}
	return out, nil
}

// asksFor are the status commands of processes that the call did not name.
func (s *Service) asksFor(c *call, targets []runbooks.Target) ([]ask, error) {
	var out []ask
	for _, t := range targets {
		p, known := c.catalog.Process(t.Process)
		h, there := c.cluster.Host(t.Host)
		if !known || !there {
			continue // the catalog's and the config's checks report it
		}
		asks, err := statusAsks(&s.planner, c, p, h)
		if err != nil {
			return nil, err
		}
		out = append(out, asks...)
	}
	return out, nil
}

func statusAsks(planner *runbooks.Planner, c *call, p *runbooks.Process, h *fleet.Host) ([]ask, error) {
	plan, err := planner.Plan(runbooks.Inputs{Cluster: c.cluster.Name, Action: statusAction, Process: p.ID, Hosts: []string{h.Name}})
	if err != nil {
		return nil, err
	}
	var out []ask
	for _, st := range plan.Steps {
		out = append(out, ask{process: p, host: h, step: st})
	}
	return out, nil
}

// show runs the asks and keeps the shown board in step with the answers. The
// store is asked at the same time, and holds back no more than a slow host.
func (s *Service) show(ctx context.Context, c *call, asks []ask, board *card.Board) error {
	answers := make(chan answer, len(asks))
	var wg sync.WaitGroup
	defer wg.Wait()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	s.send(ctx, &wg, asks, answers)
	working := make(chan inWork, 1)
	wg.Go(func() { working <- s.inWork(ctx) })

	look := time.NewTimer(firstLook)
	defer look.Stop()
	changed := true
	for left := len(asks) + 1; left > 0; {
		select {
		case a := <-answers:
			s.fill(c, &board.Rows[a.index], asks[a.index], a.result)
			left--
			changed = true
		case w := <-working:
			w.mark(board)
			left--
			changed = true
		case <-look.C:
			if changed {
				if err := s.showBoard(ctx, c, *board); err != nil {
					return err
				}
			}
			changed = false
			look.Reset(nextLook)
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return s.showBoard(ctx, c, *board)
}

type answer struct {
	index  int
	result remote.Result
}

// send starts every ask, a few at a time for each host.
func (s *Service) send(ctx context.Context, wg *sync.WaitGroup, asks []ask, answers chan<- answer) {
	turns := map[string]chan struct{}{}
	for i, a := range asks {
		turn, ok := turns[a.host.Name]
		if !ok {
			turn = make(chan struct{}, asksPerHost)
			turns[a.host.Name] = turn
		}
		wg.Go(func() {
			select {
			case turn <- struct{}{}:
			case <-ctx.Done():
				return
			}
			defer func() { <-turn }()
			r := s.Remote.Run(ctx, command(a.step))
			answers <- answer{index: i, result: r}
		})
	}
}

// command is the remote command of a step.
func command(st runbooks.Step) remote.Command {
	return remote.Command{Host: st.Host, Address: st.Address, Login: st.Login, Sent: st.Sent, Timeout: st.Timeout.D(), Changes: st.Changes()}
}

func (s *Service) fill(c *call, row *card.Row, a ask, r remote.Result) {
	o := probe.Observe(a.process.Manager, a.process.Service, r)
	row.Pending = false
	row.Observation = o
	row.Command = a.step.Command
	row.Finding = probe.Assess(o, probe.Expect{
		Up: c.cluster.ShouldBeUp(a.process.ID, s.Now()), Level: a.process.Level,
	})
}

func (s *Service) showBoard(ctx context.Context, c *call, b card.Board) error {
	b.At = s.Now()
	markUpstream(c.catalog, c.cluster, &b)
	out := card.Status(b)
	if c.ChannelShared {
		return c.reply.Whisper(ctx, out) // what hosts said is not for outsiders
	}
	return c.reply.Show(ctx, out)
}

// inWork says which targets open runs have in hand.
type inWork struct {
	runs map[runbooks.Target]string // run ids
	err  error                      // the store does not answer
}

func (s *Service) inWork(ctx context.Context) inWork {
	open, err := s.Runs.Open(ctx)
	out := inWork{runs: map[runbooks.Target]string{}, err: err}
	for _, o := range open {
		for _, t := range o.Run.Plan.Targets {
			out.runs[t] = o.Run.ID
		}
	}
	return out
}

// mark notes on a board what is in work. A store that does not answer will
// not take the read's record either.
func (w inWork) mark(b *card.Board) {
	b.Unrecorded = b.Unrecorded || w.err != nil
	for i, row := range b.Rows {
		b.Rows[i].InWork = w.runs[runbooks.Target{Process: row.Process.ID, Host: row.Host}]
	}
}

// recordRead writes the read's record, which also settles its claim. A store
// that does not answer makes the read unrecorded, never unanswered.
func (s *Service) recordRead(ctx context.Context, c *call, b card.Board) error {
	r := audit.Record{
		At: s.Now(), Kind: audit.ReadDone, Person: c.who.Name, Account: c.Account.String(), Via: string(c.Via),
		Cluster: c.cluster.Name, Action: c.cmd.Verb, Target: targetOf(c), Severity: b.Worst().String(),
	}
	if err := s.Log.Append(ctx, r, c.Key); err != nil {
		s.Logger.Warn("read not recorded", "key", c.Key, "err", err)
		if !b.Unrecorded {
			b.Unrecorded = true
			return s.showBoard(ctx, c, b)
		}
		return nil
	}
	c.settled = true
	return nil
}

func targetOf(c *call) string {
	switch {
	case c.process != nil && c.host != nil:
		return runbooks.Target{Process: c.process.ID, Host: c.host.Name}.String()
	case c.process != nil:
		return c.process.ID
	default:
		return hostName(c.host)
	}
}

func hostName(h *fleet.Host) string {
	if h == nil {
		return ""
	}
	return h.Name
}
