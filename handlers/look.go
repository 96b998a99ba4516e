package handlers

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"dhbot/internal/card"
	"dhbot/internal/redact"
	"dhbot/internal/remote"
	"dhbot/internal/watch"
	"dhbot/runbooks"
)

const (
	// gently is how many status commands are under way on one host at a time
	// when the bot looks by itself: people's commands find room beside them.
	gently = 2
	// seenRunes is how much is kept of what a look has found.
	seenRunes = 300
	// stillAllowed is how old an answer about somebody may be who follows
	// something.
	stillAllowed = 5 * time.Minute
)

// Look asks how something that is watched is, as a status does, but gently, and
// without a record of its own. notUp says since when a target has been on its
// way up. The error is for the log: without a store nobody knows what is in
// work, so nothing is said.
func (s *Service) Look(ctx context.Context, scope watch.Scope, notUp func(runbooks.Target) time.Time) (card.Board, []watch.Seen, error) {
	c, err := s.callFor(scope)
	if err != nil {
		return card.Board{}, nil, err
	}
	asks, err := s.asker.of(c)
	if err != nil {
		return card.Board{}, nil, err
	}
	board := card.Board{Cluster: scope.Cluster, Host: scope.Host}
	if scope.Process != "" {
		board.Host = ""
	}
	board.Rows = s.gather(ctx, c, asks, scope.Process != "")
	up, err := s.asker.about(c, unseenNeeds(c.catalog, c.cluster, board.Rows))
	if err != nil {
		return board, nil, err
	}
	board.Upstream = s.gather(ctx, c, up, false)
	known := s.facts(ctx)
	if known.err != nil {
		return board, nil, known.err
	}
	if err := ctx.Err(); err != nil {
		return board, nil, err // what was not asked is not unknown
	}
	known.mark(&board)
	for i := range board.Rows {
		r := &board.Rows[i]
		r.NotUp = notUp(runbooks.Target{Process: r.Process.ID, Host: r.Host})
	}
	board.At = s.Now()
	s.judge(c, &board)
	return board, seenOn(board, scope.Process != ""), nil
}

// callFor is a call about a scope, by nobody.
func (s *Service) callFor(scope watch.Scope) (*call, error) {
	cl, ok := s.Fleet.Cluster(scope.Cluster)
	if !ok {
		return nil, fmt.Errorf("the config has no cluster %q any more", scope.Cluster)
	}
	c := &call{}
	if err := s.setCluster(c, cl); err != nil {
		return nil, err
	}
	if scope.Host != "" {
		if c.host, ok = cl.Host(scope.Host); !ok {
			return nil, fmt.Errorf("%s has no host %q any more", cl.Name, scope.Host)
		}
	}
	if scope.Process != "" {
		if c.process, ok = c.catalog.Process(scope.Process); !ok {
			return nil, fmt.Errorf("there is no process %q any more", scope.Process)
		}
	}
	return c, nil
}

// Watchable says why a scope cannot be watched by this config, nil where it
// can.
func (s *Service) Watchable(scope watch.Scope) error {
	c, err := s.callFor(scope)
	if err != nil {
		return err
	}
	asks, err := s.asker.of(c)
	if err == nil && len(asks) == 0 {
		err = fmt.Errorf("no process of %s is configured any more", scope)
	}
	return err
}

// gather asks, a few at a time on each host, and returns the rows with the
// answers; logs are read as a status of a process does.
func (s *Service) gather(ctx context.Context, c *call, asks []ask, logs bool) []card.Row {
	rows := rowsOf(asks)
	results := make([]remote.Result, len(asks))
	turns := newTurns(gently)
	var wg, reading sync.WaitGroup
	defer reading.Wait()
	looks := s.lookAtLogs(ctx, &reading, c, asks, logs)
	for i, a := range asks {
		turn := turns.of(a.host.Name)
		wg.Go(func() {
			turn <- struct{}{}
			defer func() { <-turn }()
			if ctx.Err() == nil {
				results[i] = s.Remote.Run(ctx, command(a.step))
			}
		})
	}
	wg.Wait()
	for i, a := range asks {
		fill(&rows[i], a, results[i])
		looks.answered(i, &rows[i])
	}
	for looks.left > 0 {
		l := <-looks.read
		looks.take(l, &rows[l.index])
	}
	return rows
}

// MayFollow says whether whoever follows something may still look at it.
func (s *Service) MayFollow(ctx context.Context, f watch.Follow) error {
	p, err := s.identify(ctx, f.Account, stillAllowed)
	if err != nil {
		return err
	}
	return s.Rules.MayAsk(p.Person, f.Scope.Cluster, runbooks.Read, f.From)
}

// Process is a process of a cluster's catalog.
func (s *Service) Process(cluster, id string) (runbooks.Process, bool) {
	c, err := s.callFor(watch.Scope{Cluster: cluster, Process: id})
	if err != nil || c.process == nil {
		return runbooks.Process{}, false
	}
	return *c.process, true
}

// seenOn is what a look has found, target by target. A host that could not be
// asked is one thing and not one for each of its processes; what is out because
// of something else, or in the hands of a run, says nothing by itself; and what
// is in maintenance is no incident, whatever is seen of it. Where it is all
// about one process, that process is what is told of.
func seenOn(b card.Board, oneProcess bool) []watch.Seen {
	var out []watch.Seen
	silent := map[string][]card.Row{}
	all := map[string]int{}
	for _, r := range b.Rows {
		s := seenRow(b, r)
		all[r.Host]++
		if oneProcess {
			s = aboutItself(s)
		} else if s.Hold == "" && r.Maintenance == nil && !r.Observation.Known() {
			silent[r.Host] = append(silent[r.Host], r)
			s.Hold, s.Behind = "not seen: "+r.Host+" could not be asked", []runbooks.Target{{Host: r.Host}}
		}
		out = append(out, s)
	}
	for _, h := range slices.Sorted(maps.Keys(silent)) {
		out = append(out, seenHost(b, h, silent[h], all[h]))
	}
	return out
}

func seenRow(b card.Board, r card.Row) watch.Seen {
	s := watch.Seen{
		Target: runbooks.Target{Process: r.Process.ID, Host: r.Host}, Severity: r.Finding.Severity, Might: r.Finding.Might,
		Headline: r.Finding.Headline, Text: redact.Line(r.Finding.Text, seenRunes), Command: redact.Line(r.Command, seenRunes),
		Verb: card.NextVerb(r), At: b.At, Recovering: r.Finding.Recovering,
	}
	switch {
	case r.InWork != "":
		s.Hold = "in work: " + r.InWork
	case r.Maintenance != nil:
		s.Severity, s.Recovering, s.Headline = runbooks.None, false, "In maintenance, announced by "+r.Maintenance.By
	case len(r.Causes) > 0:
		var why []string
		for _, c := range r.Causes {
			why = append(why, c.String())
			for _, h := range c.Hosts {
				s.Behind = append(s.Behind, runbooks.Target{Process: c.Process, Host: h})
			}
		}
		s.Hold = "because " + strings.Join(why, ", and ")
	}
	return s
}

// aboutItself lifts a hold that points elsewhere, and says where in the text.
func aboutItself(s watch.Seen) watch.Seen {
	if len(s.Behind) > 0 {
		s.Text, s.Hold, s.Behind = redact.Line(upper(s.Hold)+". "+s.Text, seenRunes), "", nil
	}
	return s
}

func upper(s string) string { return strings.ToUpper(s[:1]) + s[1:] }

// seenHost is a host of which some or all processes could not be looked at.
func seenHost(b card.Board, host string, rows []card.Row, all int) watch.Seen {
	s := watch.Seen{Target: runbooks.Target{Host: host}, Severity: runbooks.Unknown, Might: runbooks.None, Command: redact.Line(rows[0].Command, seenRunes), At: b.At}
	var names, why []string
	for _, r := range rows {
		names = append(names, r.Process.ID)
		if r.Finding.Might.Worse(s.Might) {
			s.Might = r.Finding.Might
		}
		if w := redact.Line(r.Observation.Why, seenRunes/2); !slices.Contains(why, w) {
			why = append(why, w)
		}
	}
	s.Headline = fmt.Sprintf("Could not look: %d of %d processes unknown", len(rows), all)
	switch {
	case all == 1:
		s.Headline = "Could not look: " + names[0] + " is unknown"
	case len(rows) == all:
		s.Headline = fmt.Sprintf("Could not look: all %d processes unknown", all)
	case len(rows) == 1:
		s.Headline = fmt.Sprintf("Could not look: %s unknown", names[0])
	}
	s.Text = redact.Line(strings.Join(names, ", ")+" — "+why[0], seenRunes)
	if s.Might != runbooks.None && s.Might != runbooks.Unknown {
		s.Text += ". It may be " + s.Might.String()
	}
	return s
}
