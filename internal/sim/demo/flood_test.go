package demo_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"dhbot/internal/local/adminsock"
	"dhbot/internal/sim/demo"
	"dhbot/internal/sim/hostsim"
	"dhbot/internal/sim/slacklocal"
)

// floodStory is what normal users do during the flood.
const floodStory = `
operator: /dh restart db_dis because disk was full
expect 2m Approval needed
approver: approve
expect 2m Done in
verify audit
`

// flood is the size of a flood.
type flood struct {
	halfOpen   int // incomplete requests, on each of the two sockets
	challenges int // requested at the terminal and never answered
	strangers  int // accounts of the workspace that are not in the config
}

// TestFlood floods Slack and both local sockets. On the sockets the flood comes from the bot's
// own user, who may open the most connections. During the flood a Sev 1 restart is requested,
// approved and executed exactly once, and both sockets answer. DHBOT_FLOOD=1 selects the full
// size.
func TestFlood(t *testing.T) {
	t.Parallel()
	f := flood{halfOpen: 300, challenges: 500, strangers: 30}
	if os.Getenv("DHBOT_FLOOD") != "" {
		f = flood{halfOpen: 2000, challenges: 10_000, strangers: 300}
	}
	lines, err := demo.ParseScript(strings.NewReader(floodStory))
	if err != nil {
		t.Fatal(err)
	}
	key, public := publicKey(t)
	o := demo.Options{
		Generation: hostsim.Current, Pace: 0.1, Log: warnings(t),
		Keys: map[string]string{"operator": public}, Others: unknownPeople(f.strangers),
	}
	err = demo.Run(t.Context(), o, func(ctx context.Context, d *demo.Demo) error {
		dir := filepath.Join(filepath.Dir(d.ConfigFile()), "state")
		terminal := filepath.Join(dir, "terminal.sock")
		var story atomic.Bool // set at the end of the story
		var sent [4]atomic.Int64
		var floods sync.WaitGroup
		for i, one := range []func(int) error{
			halfOpen(adminsock.Socket(dir), f.halfOpen),
			halfOpen(terminal, f.halfOpen),
			challenges(terminal, key),
			slashes(d.Slack, o.Others),
		} {
			least := []int{f.halfOpen, f.halfOpen, f.challenges, 2 * f.strangers}[i]
			floods.Go(func() {
				for n := 0; (n < least || !story.Load()) && ctx.Err() == nil; n++ {
					if err := one(n); err != nil {
						t.Errorf("flood %d failed after %d requests: %v", i, n, err)
						return
					}
					sent[i].Add(1)
					// The flood has reached its full size, so it sends little from now on.
					if n > least {
						time.Sleep(10 * time.Millisecond)
					}
				}
			})
		}
		await(t, "every flood has begun", func() bool {
			return sent[0].Load() > 0 && sent[1].Load() > 0 && sent[2].Load() > 0 && sent[3].Load() > 0
		})
		stage := d.Stage()
		stage.Out = io.Discard
		err := demo.Play(ctx, stage, lines)
		var health bytes.Buffer
		if err := adminsock.NewClient(dir).Get(ctx, "/health", nil, &health); err != nil {
			t.Errorf("the control socket does not answer: %v", err)
		}
		story.Store(true)
		floods.Wait()
		if challenged, err := challenge(terminal, key); err != nil || challenged != http.StatusOK {
			t.Errorf("the terminal gives no challenge: %d, %v", challenged, err)
		}
		t.Logf("%d and %d half-open requests, %d challenges, %d commands of %d strangers", sent[0].Load(), sent[1].Load(), sent[2].Load(), sent[3].Load(), f.strangers)
		var did []string
		for _, e := range d.Hosts.Executed() {
			if e.Changes {
				did = append(did, strings.Join(e.Argv, " "))
			}
		}
		if want := []string{"monit restart db_dis"}; !slices.Equal(did, want) {
			t.Errorf("the hosts got %q, want %q", did, want)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// await waits until f holds.
func await(t *testing.T, what string, f func() bool) {
	t.Helper()
	for end := time.Now().Add(2 * time.Minute); !f(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not within two minutes: %s", what)
		}
	}
}

// begun has the beginnings of requests that are never completed.
var begun = []string{
	"", "GET /health HTTP/1.1\r\nHost: bot\r\n", "POST /ask HTTP/1.1\r\nHost: bot\r\nContent-Length: 100\r\n\r\n{",
}

// halfOpen returns a function that starts a request and never completes it. At most the given
// number of requests stay open.
func halfOpen(socket string, most int) func(int) error {
	open := make([]net.Conn, most)
	return func(n int) error {
		conn, err := net.Dial("unix", socket)
		if err != nil {
			return err
		}
		if old := open[n%most]; old != nil {
			old.Close()
		}
		open[n%most] = conn
		// The write may fail, because the bot may have closed the connection.
		_, _ = io.WriteString(conn, begun[n%len(begun)])
		return nil
	}
}

// challenges returns a function that requests a challenge. The bot may refuse some of these
// requests.
func challenges(socket string, key ssh.PublicKey) func(int) error {
	return func(int) error {
		_, _ = challenge(socket, key)
		return nil
	}
}

func challenge(socket string, key ssh.PublicKey) (int, error) {
	body, err := json.Marshal(map[string]any{"command": "restart db_dis", "keys": [][]byte{key.Marshal()}})
	if err != nil {
		return 0, err
	}
	client := &http.Client{Transport: adminsock.Transport(socket)}
	defer client.CloseIdleConnections()
	resp, err := client.Post("http://bot/ask", "application/json", bytes.NewReader(body))
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	return resp.StatusCode, nil
}

// slashes returns a function that sends slash commands. It uses several accounts, which the bot does
// not know, in turn.
func slashes(slack *slacklocal.Server, people []slacklocal.Person) func(int) error {
	texts := []string{"status db_dis", "restart db_dis because why not", "help", "approve R-7F3K db_dis"}
	return func(n int) error {
		who := people[n%len(people)]
		text := texts[n/len(people)%len(texts)]
		_, err := slack.Slash(slacklocal.SlashCommand{User: who.Name, Channel: slacklocal.DemoIncident, Command: "/dh", Text: text})
		return err
	}
}

func unknownPeople(n int) (out []slacklocal.Person) {
	for i := range n {
		name := fmt.Sprintf("stranger%d", i)
		out = append(out, slacklocal.Person{ID: fmt.Sprintf("U0STRANGER%d", i), Name: name, RealName: name, TeamID: slacklocal.DemoTeam, TZ: "UTC"})
	}
	return out
}

func publicKey(t *testing.T) (ssh.PublicKey, string) {
	t.Helper()
	pub, _, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	key, err := ssh.NewPublicKey(pub)
	if err != nil {
		t.Fatal(err)
	}
	return key, strings.TrimSpace(string(ssh.MarshalAuthorizedKey(key)))
}
