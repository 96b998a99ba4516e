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
	// logPatience is how long after the question a status waits for logs
	// before it is shown without them.
	logPatience = 300 * time.Millisecond
	// upstreamPatience is longer than any one status command may take.
	upstreamPatience = time.Minute
)

// status asks every host that matters at once and shows what comes as it
// comes: a slow host holds nothing back.
func (s *Service) status(ctx context.Context, c *call) error {
	asks, err := s.asker.of(c)
	if err != nil {
		return err
	}
	if len(asks) == 0 {
		return said("Nothing to ask: no process is configured there.")
	}
	board := card.Board{Cluster: c.cluster.Name, Host: hostName(c.host), Rows: rowsOf(asks), Unrecorded: c.Key == "" && c.Via != Terminal}
	if err := s.show(ctx, c, asks, &board, c.process != nil); err != nil {
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
	asks, err := s.asker.about(c, unseenNeeds(c.catalog, c.cluster, board.Rows))
	if err != nil || len(asks) == 0 {
		return err
	}
	board.Upstream = s.askAll(ctx, asks, upstreamPatience)
	return s.showBoard(ctx, c, *board)
}

// show runs the asks and keeps the shown board in step with the answers. The
// store is asked at the same time, and so is, where logs says so, each
// process's own log; neither holds the supervisors' answers back.
func (s *Service) show(ctx context.Context, c *call, asks []ask, board *card.Board, logs bool) error {
	answers := make(chan answer, len(asks))
	var wg sync.WaitGroup
	defer wg.Wait()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	s.send(ctx, &wg, asks, answers)
	known := make(chan facts, 1)
	wg.Go(func() { known <- s.facts(ctx) })
	looks := s.lookAtLogs(ctx, &wg, c, asks, logs)

	began, look := time.Now(), time.NewTimer(firstLook)
	defer look.Stop()
	shown, patient := false, true
	for left := len(asks) + 1; left > 0 || looks.left > 0; {
		select {
		case a := <-answers:
			fill(&board.Rows[a.index], asks[a.index], a.result)
			looks.answered(a.index, &board.Rows[a.index])
			left--
		case f := <-known:
			f.mark(board)
			left--
		case l := <-looks.read:
			if !looks.take(l, &board.Rows[l.index]) {
				continue
			}
		case <-look.C:
			if !shown {
				if err := s.showBoard(ctx, c, *board); err != nil {
					return err
				}
			}
			shown = true
			look.Reset(nextLook)
			continue
		case <-ctx.Done():
			return ctx.Err()
		}
		shown = false
		if left == 0 && patient { // what is still missing are logs
			patient = false
			look.Reset(max(0, logPatience-time.Since(began)))
		}
	}
	if shown {
		return nil
	}
	return s.showBoard(ctx, c, *board)
}

type answer struct {
	index  int
	result remote.Result
}

// send starts every ask, a few at a time for each host.
func (s *Service) send(ctx context.Context, wg *sync.WaitGroup, asks []ask, answers chan<- answer) {
	turns := newTurns(asksPerHost)
	for i, a := range asks {
		turn := turns.of(a.host.Name)
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

// fill puts an answer into its row; judging it is for when it is shown.
func fill(row *card.Row, a ask, r remote.Result) {
	row.Pending = false
	row.Observation = probe.Observe(a.process.Manager, a.process.Service, r)
	row.Command = a.step.Command
}

func (s *Service) showBoard(ctx context.Context, c *call, b card.Board) error {
	b.At = s.Now()
	s.judge(c, &b)
	out := card.Status(b)
	if c.ChannelShared {
		return c.reply.Whisper(ctx, out) // what hosts said is not for outsiders
	}
	return c.reply.Show(ctx, out)
}

// recordRead writes the read's record, which also settles its claim. A store
// that does not answer makes the read unrecorded, never unanswered.
func (s *Service) recordRead(ctx context.Context, c *call, b card.Board) error {
	r := audit.Record{
		At: s.Now(), Kind: audit.ReadDone, Person: c.who.Name, Account: c.Account.String(), Via: string(c.Via),
		Cluster: c.cluster.Name, Action: c.cmd.Verb, Target: targetOf(c), Severity: b.Worst().String(),
	}
	if err := s.append(ctx, c.Message, r); err != nil {
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
