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

	"dhbot/internal/sim/slacklocal"
)

const (
	// channels is the number of channels. Commands use them in turn, so that no command
	// waits for the rate limit of its channel.
	channels = 900
	// channelRest is the pause of a channel after a command, because Slack accepts one message a
	// second in a channel.
	channelRest = 1100 * time.Millisecond
	patience    = 20 * time.Second
)

// side is one of the compared programs, with its own local Slack.
type side struct {
	name   string
	slack  *slacklocal.Server
	rounds map[int][]figures // by commands in flight, in order

	posted map[string]chan struct{} // by channel id
	asked  [channels]time.Time      // the time of a channel's last command
	next   int                      // the next channel
}

// newSide starts a local Slack and then, with start, a program that connects to it.
func newSide(tb testing.TB, name string, start func(*slacklocal.Server)) *side {
	tb.Helper()
	local, err := slacklocal.Start(slacklocal.Config{Workspace: workspace(), Unlimited: true})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = local.Close() })
	s := &side{name: name, slack: local, rounds: map[int][]figures{}, posted: map[string]chan struct{}{}}
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

// personID is the requester in a channel. Each channel has its own requester, because every
// person has a budget of reads.
func personID(channel string) string { return "U" + channel[1:] }

// workspace is the demo's workspace, with many channels and a person in each.
func workspace() slacklocal.Workspace {
	w := slacklocal.DemoWorkspace()
	for i := range channels {
		id := personID(channelID(i))
		w.People = append(w.People, slacklocal.Person{ID: id, Name: fmt.Sprintf("asker-%d", i), TeamID: slacklocal.DemoTeam, TZ: "UTC"})
		w.Channels = append(w.Channels, slacklocal.Channel{
			ID: channelID(i), Name: fmt.Sprintf("bench-%d", i), Members: []string{slacklocal.DemoBotUser, id},
		})
	}
	return w
}

// listen follows the live feed of the local Slack, which names the channel of every post.
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

// round sends commands, inFlight at a time, each in its own channel, and returns when all
// are answered and measured.
func (s *side) round(tb testing.TB, e *estate, inFlight, commands int) {
	tb.Helper()
	list := make([]asked, commands)
	for i := range list {
		time.Sleep(time.Until(s.asked[s.next].Add(channelRest)))
		list[i].channel, list[i].process = channelID(s.next), e.hosts[s.next%len(e.hosts)].process
		s.asked[s.next] = time.Now().Add(patience) // so that the channel is not used again in this round
		s.next = (s.next + 1) % channels
	}
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
		next <- &list[i]
	}
	close(next)
	workers.Wait()
	ended := time.Now()
	spent = cpuTime(tb) - spent
	if tb.Failed() {
		tb.FailNow()
	}
	var acks, replies []time.Duration
	for i, a := range list {
		acks = append(acks, a.ack)
		replies = append(replies, s.reply(tb, a))
		s.asked[(s.next-commands+i+channels)%channels] = ended
	}
	s.rounds[inFlight] = append(s.rounds[inFlight], figures{
		rate: float64(commands) / ended.Sub(began).Seconds(), cpu: milliseconds(spent) / float64(commands),
		ack50: quantile(acks, 0.5), ack99: quantile(acks, 0.99), reply50: quantile(replies, 0.5), reply99: quantile(replies, 0.99),
	})
}

// cpuTime returns the CPU time of this process so far, user and system. It includes the
// sides, their local Slacks and the benchmark, but not the hosts.
func cpuTime(tb testing.TB) time.Duration {
	tb.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		tb.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// ask types a command and waits for the answer.
func (s *side) ask(a *asked) {
	for len(s.posted[a.channel]) > 0 {
		<-s.posted[a.channel] // an edit of the previous answer
	}
	a.sent = time.Now()
	answer, err := s.slack.Slash(slacklocal.SlashCommand{User: personID(a.channel), Channel: a.channel, Command: "/dh", Text: "status " + a.process})
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

// reply is the time from the command to its answer in the channel. If a part of a slow
// answer was shown first, the last edit counts.
func (s *side) reply(tb testing.TB, a asked) time.Duration {
	tb.Helper()
	if a.err != nil {
		tb.Fatalf("%s: status %s in %s: %v", s.name, a.process, a.channel, a.err)
	}
	list, err := s.slack.Messages(a.channel, personID(a.channel))
	if err != nil || len(list) == 0 {
		tb.Fatalf("%s: no message in %s: %v", s.name, a.channel, err)
	}
	m := list[len(list)-1]
	if m.Ephemeral || m.At.Before(a.sent) || !strings.Contains(m.Text, a.process) {
		tb.Fatalf("%s: unexpected answer to status %s: %q", s.name, a.process, m.Text)
	}
	if m.EditedAt != nil {
		return m.EditedAt.Sub(a.sent)
	}
	return m.At.Sub(a.sent)
}
