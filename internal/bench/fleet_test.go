package bench

import (
	"errors"
	"fmt"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"dhbot/internal/card"
	"dhbot/internal/sim/slacklocal"
	"dhbot/runbooks"
)

const (
	// fleetProcess runs on every host of the fleet.
	fleetProcess = "tailer1"
	fleetRounds  = 3
	// atOnce is the number of hosts that parallel-ssh queries at a time.
	atOnce = "64"
	// fleetChannel is the index of the channel in which the status of the fleet is requested.
	fleetChannel = 0
	// fleetPatience is the time limit for a complete answer.
	fleetPatience = 90 * time.Second
)

// BenchmarkFleet measures `/dh status` of 50 and of 500 hosts, from the command until the card is
// complete. For comparison, parallel-ssh sends every host the same line and prints the answers,
// over kept connections (OpenSSH's ControlMaster) and over new connections. A second comparison
// with parallel-ssh sends only the status command. Plain x/crypto sends the line and discards the
// answers, which shows how much of the bot's time is spent on SSH.
func BenchmarkFleet(b *testing.B) {
	program, err := exec.LookPath("parallel-ssh")
	if err != nil {
		b.Skip("parallel-ssh is not installed")
	}
	for b.Loop() {
		for _, n := range []int{50, manyHosts} {
			e := newFleet(b, n, fleetProcess)
			ours, line := fleetOfOurs(b, e)
			plain := fleetOfPlain(b, e, line)
			same := fleetOfTheirs(b, e, program, line)
			one := fleetOfTheirs(b, e, program, e.hosts[0].sent)
			fmt.Print(fleetTable(n, ours, plain, same, one))
			for _, r := range fleetVerdict(n, ours, plain, same, one) {
				b.ReportMetric(r.value, r.metric)
				fmt.Println(r)
			}
		}
		b.ReportMetric(0, "ns/op") // the time of the whole benchmark means nothing
	}
}

// spent is the elapsed time and the CPU time of each query, in ms.
type spent struct{ took, cpu []float64 }

func (s *spent) add(took, cpu time.Duration) {
	s.took, s.cpu = append(s.took, milliseconds(took)), append(s.cpu, milliseconds(cpu))
}

// asking has the times of one side: warm over kept connections, and cold over new connections.
type asking struct{ warm, cold spent }

// fleetOfOurs queries the hosts through the bot. The CPU time includes the local Slack. fleetOfOurs
// also returns the line that the bot sends to every host for a status over a kept connection.
func fleetOfOurs(b *testing.B, e *estate) (all asking, line string) {
	b.Helper()
	for range fleetRounds {
		line = all.round(b, e)
	}
	return all, line
}

// round starts a bot and requests the status twice. The first request needs new connections, and
// the second uses the same connections again.
func (a *asking) round(b *testing.B, e *estate) (line string) {
	b.Helper()
	own := &cleanupOnRequest{B: b}
	defer own.end()
	var sent *recorder
	s := newSide(own, "dhbot", func(local *slacklocal.Server) { _, sent = startOurs(own, e, local) })
	a.cold.add(s.askFleet(b))
	sent.take()
	a.warm.add(s.askFleet(b))
	lines := sent.take()
	if len(lines) != len(e.hosts) {
		b.Fatalf("%d lines for %d hosts", len(lines), len(e.hosts))
	}
	return lines[0].sent
}

// cleanupOnRequest is a benchmark whose cleanups run on request.
type cleanupOnRequest struct {
	*testing.B
	ends []func()
}

func (l *cleanupOnRequest) Cleanup(f func()) { l.ends = append(l.ends, f) }

func (l *cleanupOnRequest) end() {
	for i := len(l.ends) - 1; i >= 0; i-- {
		l.ends[i]()
	}
}

// askFleet requests the status of all hosts and waits for the complete card.
func (s *side) askFleet(b *testing.B) (took, cpu time.Duration) {
	b.Helper()
	channel := channelID(fleetChannel)
	time.Sleep(channelRest)
	for len(s.posted[channel]) > 0 {
		<-s.posted[channel]
	}
	began, before := time.Now(), cpuTime(b)
	answer, err := s.slack.Slash(slacklocal.SlashCommand{User: personID(channel), Channel: channel, Command: "/dh", Text: "status"})
	if err == nil && !answer.OK {
		err = errors.New(answer.Error)
	}
	if err != nil {
		b.Fatal(err)
	}
	whole := card.SeverityIcon(runbooks.None) // complete and green: a host without an answer would be unknown
	for last := ""; ; {
		select {
		case <-s.posted[channel]:
		case <-time.After(fleetPatience):
			b.Fatalf("no complete answer within %v; the last answer is %q", fleetPatience, last)
		}
		list, err := s.slack.Messages(channel, personID(channel))
		if err != nil {
			b.Fatal(err)
		}
		if last = list[len(list)-1].Text; strings.HasPrefix(last, whole) {
			return time.Since(began), cpuTime(b) - before
		}
	}
}

// fleetOfPlain sends the line to all hosts at the same time, over kept connections of
// x/crypto/ssh.
func fleetOfPlain(b *testing.B, e *estate, sent string) (warm spent) {
	b.Helper()
	own := &cleanupOnRequest{B: b}
	defer own.end()
	plain := &bare{clients: map[string]*ssh.Client{}}
	for _, h := range e.hosts {
		plain.clients[h.name] = dialBare(own, e, h)
	}
	for range fleetRounds {
		began, before := time.Now(), cpuTime(b)
		var all sync.WaitGroup
		for _, h := range e.hosts {
			all.Go(func() {
				if _, err := plain.send(line{h.name, sent}); err != nil {
					b.Error(err)
				}
			})
		}
		all.Wait()
		warm.add(time.Since(began), cpuTime(b)-before)
	}
	return warm
}

// fleetOfTheirs queries the hosts with parallel-ssh.
func fleetOfTheirs(b *testing.B, e *estate, program, sent string) asking {
	b.Helper()
	p := newParallel(b, e, program, sent)
	var all asking
	p.run(b, p.kept) // opens the connections
	for range fleetRounds {
		all.cold.add(p.run(b, p.fresh))
		all.warm.add(p.run(b, p.kept))
	}
	return all
}

// parallel is parallel-ssh.
type parallel struct {
	*openSSH
	program, hosts, sent string
}

func newParallel(b *testing.B, e *estate, program, sent string) *parallel {
	b.Helper()
	var hosts strings.Builder
	for _, h := range e.hosts {
		hosts.WriteString(h.address + "\n")
	}
	ssh := newOpenSSH(b, e)
	return &parallel{ssh, program, write(b, ssh.dir+"/hosts", hosts.String(), 0o600), sent}
}

// run queries all hosts once. The CPU time includes parallel-ssh, the ssh processes that it starts,
// and the ssh masters that keep the connections open.
func (p *parallel) run(b *testing.B, config string) (took, cpu time.Duration) {
	b.Helper()
	before := p.mastersCPU(b)
	cmd := exec.Command(p.program, "-h", p.hosts, "-p", atOnce, "-t", "60", "-i", "-x", "-F "+config, p.sent)
	began := time.Now()
	out, err := cmd.CombinedOutput()
	took = time.Since(began)
	if err != nil {
		b.Fatalf("parallel-ssh: %v: %.2000s", err, out)
	}
	return took, cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime() + p.mastersCPU(b) - before
}

func fleetTable(n int, ours asking, plain spent, same, one asking) string {
	var out strings.Builder
	fmt.Fprintf(&out, "\n%-26s %12s %12s %12s %12s\n", fmt.Sprintf("%d hosts, ms", n), "warm", "warm CPU", "cold", "cold CPU")
	for _, side := range []struct {
		name string
		asking
	}{{"dhbot, card posted", ours}, {"parallel-ssh, same reads", same}, {"parallel-ssh, one command", one}} {
		fmt.Fprintf(&out, "%-26s %12.0f %12.0f %12.0f %12.0f\n", side.name,
			median(side.warm.took), median(side.warm.cpu), median(side.cold.took), median(side.cold.cpu))
	}
	fmt.Fprintf(&out, "%-26s %12.0f %12.0f\n", "plain x/crypto, same reads", median(plain.took), median(plain.cpu))
	return out.String()
}

func fleetVerdict(n int, ours asking, plain spent, theirs, one asking) []result {
	const wanted = " hosts, ours / same reads"
	size := strconv.Itoa(n)
	return []result{
		{what: "time, warm, " + size + wanted, metric: "warm" + size + "-ratio", value: median(ours.warm.took) / median(theirs.warm.took), atMost: 0.25},
		{what: "CPU, warm, " + size + wanted, metric: "warm" + size + "-cpu-ratio", value: median(ours.warm.cpu) / median(theirs.warm.cpu), atMost: 0.03},
		{what: "time, cold, " + size + wanted, metric: "cold" + size + "-ratio", value: median(ours.cold.took) / median(theirs.cold.took), atMost: 0.45},
		{what: "CPU, cold, " + size + wanted, metric: "cold" + size + "-cpu-ratio", value: median(ours.cold.cpu) / median(theirs.cold.cpu), atMost: 0.10},
		{what: "time, warm, " + size + " hosts, ours / plain x/crypto", metric: "plain" + size + "-ratio", value: median(ours.warm.took) / median(plain.took)},
		{what: "CPU, warm, " + size + " hosts, ours / plain x/crypto", metric: "plain" + size + "-cpu-ratio", value: median(ours.warm.cpu) / median(plain.cpu)},
		{what: "time, warm, " + size + " hosts, ours / one command", metric: "one" + size + "-ratio", value: median(ours.warm.took) / median(one.warm.took), atMost: 0.25},
		{what: "CPU, warm, " + size + " hosts, ours / one command", metric: "one" + size + "-cpu-ratio", value: median(ours.warm.cpu) / median(one.warm.cpu), atMost: 0.03},
	}
}
