package bench

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/slack-go/slack"
	"github.com/slack-go/slack/socketmode"
	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"

	"dhbot/internal/sim/slacklocal"
)

// bare is the loop that a day's work makes of slack-go and x/crypto/ssh: it
// acks in the goroutine that reads, sends the command over a warm connection,
// and posts what came back as it came.
type bare struct {
	chat    *slack.Client
	hosts   map[string]host        // by process
	clients map[string]*ssh.Client // by process
	seats   chan struct{}          // what executes at a time; nil is no limit
	trouble func(error)
}

// startBare runs the loop until the benchmark ends. With atOnce above 0 no
// more commands execute at a time, and connections to Slack are kept, as far
// as a bare loop can be tuned without promising anything.
func startBare(tb testing.TB, e *estate, local *slacklocal.Server, atOnce int) {
	tb.Helper()
	opts := []slack.Option{slack.OptionAppLevelToken(local.AppToken()), slack.OptionAPIURL(local.APIURL())}
	b := &bare{hosts: map[string]host{}, clients: map[string]*ssh.Client{}, trouble: func(err error) { tb.Errorf("bare side: %v", err) }}
	if atOnce > 0 {
		b.seats = make(chan struct{}, atOnce)
		opts = append(opts, slack.OptionHTTPClient(&http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}))
	}
	for _, h := range e.hosts {
		b.hosts[h.process], b.clients[h.process] = h, dialBare(tb, e, h)
	}
	b.chat = slack.New(local.BotToken(), opts...)
	client := socketmode.New(b.chat)
	ctx, stop := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() {
		if err := client.RunContext(ctx); err != nil && !errors.Is(err, context.Canceled) {
			b.trouble(err)
		}
	})
	running.Go(func() { b.read(ctx, client) })
	tb.Cleanup(func() { stop(); running.Wait() })
}

func dialBare(tb testing.TB, e *estate, h host) *ssh.Client {
	tb.Helper()
	pem, err := os.ReadFile(e.keyFile)
	if err != nil {
		tb.Fatal(err)
	}
	key, err := ssh.ParsePrivateKey(pem)
	if err != nil {
		tb.Fatal(err)
	}
	known, err := knownhosts.New(e.knownHosts)
	if err != nil {
		tb.Fatal(err)
	}
	c, err := ssh.Dial("tcp", h.address, &ssh.ClientConfig{
		User: e.login, Auth: []ssh.AuthMethod{ssh.PublicKeys(key)}, HostKeyCallback: known,
		HostKeyAlgorithms: []string{ssh.KeyAlgoED25519},
	})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { c.Close() })
	return c
}

// read is the loop: ack first, and a goroutine for the rest.
func (b *bare) read(ctx context.Context, client *socketmode.Client) {
	var work sync.WaitGroup
	defer work.Wait()
	for {
		select {
		case <-ctx.Done():
			return
		case ev := <-client.Events:
			command, ok := ev.Data.(slack.SlashCommand)
			if !ok {
				continue
			}
			if err := client.Ack(*ev.Request); err != nil {
				b.trouble(err)
			}
			work.Go(func() {
				if err := b.answer(ctx, command); err != nil && ctx.Err() == nil {
					b.trouble(err)
				}
			})
		}
	}
}

func (b *bare) answer(ctx context.Context, command slack.SlashCommand) error {
	if b.seats != nil {
		b.seats <- struct{}{}
		defer func() { <-b.seats }()
	}
	process := strings.TrimPrefix(command.Text, "status ")
	session, err := b.clients[process].NewSession()
	if err != nil {
		return fmt.Errorf("opening a session for %s: %w", process, err)
	}
	defer session.Close()
	out, err := session.CombinedOutput(b.hosts[process].sent)
	if err != nil {
		return fmt.Errorf("asking for %s: %w", process, err)
	}
	_, _, err = b.chat.PostMessageContext(ctx, command.ChannelID, slack.MsgOptionText("```"+string(out)+"```", false))
	return err
}
