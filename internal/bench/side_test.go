package bench

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"dhbot/internal/slacklocal"
)

const (
	// channels is how many there are: each takes one command of a round, so
	// that nobody waits for a channel's turn to be posted to.
	channels = 400
	// channelRest is how long a channel is left alone after a round: Slack
	// takes one message a second.
	channelRest = 1100 * time.Millisecond
	patience    = 20 * time.Second
)

// side is one of those that are compared, behind a Slack of its own.
type side struct {
	name  string
	slack *slacklocal.Server
	rows  map[int]*samples // by commands in flight

	posted map[string]chan struct{} // by channel
	ended  time.Time                // of the last round
}

// samples are what was measured of a side.
type samples struct {
	replies, acks []time.Duration
	rates         []float64       // replies a second, by round
	cpu           []time.Duration // of this process, a command, by round
}

// newSide starts a Slack and, with it, a side.
func newSide(tb testing.TB, name string, start func(*slacklocal.Server)) *side {
	tb.Helper()
	local, err := slacklocal.Start(slacklocal.Config{Workspace: workspace(), Unlimited: true})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = local.Close() })
	s := &side{name: name, slack: local, rows: map[int]*samples{}, posted: map[string]chan struct{}{}}
	for i := range channels {
		s.posted[channelID(i)] = make(chan struct{}, 4)
	}
	s.listen(tb)
	start(local)
	for began := time.Now(); local.Connections() == 0; time.Sleep(time.Millisecond) {
		if time.Since(began) > patience {
			tb.Fatalf("%s does not connect", name)
		}
	}
	return s
}

func channelID(i int) string { return fmt.Sprintf("C0BENCH%03d", i) }

// workspace is the demo's, with many channels.
func workspace() slacklocal.Workspace {
	w := slacklocal.DemoWorkspace()
	for i := range channels {
		w.Channels = append(w.Channels, slacklocal.Channel{
			ID: channelID(i), Name: fmt.Sprintf("bench-%d", i), Members: []string{slacklocal.DemoBotUser, slacklocal.DemoOperator},
		})
	}
	return w
}

// listen follows the Slack's live feed, which says in which channel something
// was posted.
func (s *side) listen(tb testing.TB) {
	tb.Helper()
	ctx, stop := context.WithCancel(context.Background())
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, s.slack.URL()+"/local/events", http.NoBody)
	if err != nil {
		tb.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		tb.Fatal(err)
	}
	var following sync.WaitGroup
	following.Go(func() {
		if err := s.follow(resp.Body); err != nil && ctx.Err() == nil {
			tb.Errorf("%s: the feed of its Slack: %v", s.name, err)
		}
	})
	tb.Cleanup(func() { stop(); following.Wait(); resp.Body.Close() })
}

func (s *side) follow(body io.Reader) error {
	lines := bufio.NewScanner(body)
	for lines.Scan() {
		data, ok := strings.CutPrefix(lines.Text(), "data: ")
		if !ok {
			continue
		}
		var change struct{ Type, Channel string }
		if err := json.Unmarshal([]byte(data), &change); err != nil {
			return err
		}
		if posted, ok := s.posted[change.Channel]; ok {
			posted <- struct{}{}
		}
	}
	return errors.Join(lines.Err(), io.ErrUnexpectedEOF)
}

// asked is one command.
type asked struct {
	channel, process string
	sent             time.Time
	ack              time.Duration
	err              error
}

// round sends commands, so many in flight, each in a channel of its own, and
// returns when all are answered. What it measures is kept unless it is to
// warm things up.
func (s *side) round(tb testing.TB, e *estate, inFlight, commands int, warmUp bool) {
	tb.Helper()
	time.Sleep(time.Until(s.ended.Add(channelRest)))
	list := make([]asked, commands)
	next := make(chan *asked)
	var workers sync.WaitGroup
	began, spent := time.Now(), cpuTime(tb)
	for range inFlight {
		workers.Go(func() {
			for a := range next {
				s.ask(a)
			}
		})
	}
	for i := range list {
		list[i].channel, list[i].process = channelID(i), e.hosts[i%len(e.hosts)].process
		next <- &list[i]
	}
	close(next)
	workers.Wait()
	s.ended, spent = time.Now(), cpuTime(tb)-spent
	if tb.Failed() {
		tb.FailNow()
	}
	row := &samples{}
	if !warmUp {
		if s.rows[inFlight] == nil {
			s.rows[inFlight] = row
		}
		row = s.rows[inFlight]
	}
	row.cpu = append(row.cpu, spent/time.Duration(commands))
	row.rates = append(row.rates, float64(commands)/s.ended.Sub(began).Seconds())
	for _, a := range list {
		row.acks = append(row.acks, a.ack)
		row.replies = append(row.replies, s.reply(tb, a))
	}
}

// cpuTime is what this process has used so far, its share of the kernel
// included: the sides, their Slacks and what drives them, not the hosts.
func cpuTime(tb testing.TB) time.Duration {
	tb.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		tb.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// ask is somebody typing a command and waiting for the answer.
func (s *side) ask(a *asked) {
	a.sent = time.Now()
	answer, err := s.slack.Slash(slacklocal.SlashCommand{User: "operator", Channel: a.channel, Command: "/dh", Text: "status " + a.process})
	a.ack = time.Since(a.sent)
	if err == nil && !answer.OK {
		err = errors.New(answer.Error)
	}
	if err != nil {
		a.err = err
		return
	}
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-s.posted[a.channel]:
	case <-timer.C:
		a.err = fmt.Errorf("no answer within %v", patience)
	}
}

// reply is how long after the command its answer stood in the channel. The
// answer must be the one to it.
func (s *side) reply(tb testing.TB, a asked) time.Duration {
	tb.Helper()
	if a.err != nil {
		tb.Fatalf("%s: status %s in %s: %v", s.name, a.process, a.channel, a.err)
	}
	list, err := s.slack.Messages(a.channel, "operator")
	if err != nil || len(list) == 0 {
		tb.Fatalf("%s: no message in %s: %v", s.name, a.channel, err)
	}
	m := list[len(list)-1]
	if m.Ephemeral || m.EditedAt != nil || m.At.Before(a.sent) || !strings.Contains(m.Text, a.process) {
		tb.Fatalf("%s: the answer to status %s is not what is measured: %+v", s.name, a.process, m)
	}
	return m.At.Sub(a.sent)
}
