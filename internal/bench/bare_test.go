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

// bare is the simplest bot that uses slack-go and x/crypto/ssh. It acknowledges each command in the
// goroutine that reads it. For a status it sends the lines over open connections in parallel, and
// posts the output.
type bare struct {
	chat    *slack.Client
	lines   map[string][]line      // by process
	clients map[string]*ssh.Client // by host
	seats   chan struct{}          // limits concurrent commands; nil means no limit
	trouble func(error)
}

// startBare runs the bare loop until the benchmark ends. lines maps each process to the lines to
// send for its status. If atOnce is above 0, the loop is as fast as we can make it: it runs at most
// atOnce commands concurrently, and keeps connections to Slack open.
func startBare(tb testing.TB, e *estate, local *slacklocal.Server, atOnce int, lines map[string][]line) {
	tb.Helper()
	opts := []slack.Option{slack.OptionAppLevelToken(local.AppToken()), slack.OptionAPIURL(local.APIURL())}
	b := &bare{lines: lines, clients: map[string]*ssh.Client{}, trouble: func(err error) { tb.Errorf("bare side: %v", err) }}
	if atOnce > 0 {
		b.seats = make(chan struct{}, atOnce)
		opts = append(opts, slack.OptionHTTPClient(&http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}))
	}
	for _, h := range e.hosts {
		b.clients[h.name] = dialBare(tb, e, h)
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

// read is the bare loop. It acknowledges each command at once, and handles it in a new goroutine.
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
	lines := b.lines[process]
	outputs, errs := make([]string, len(lines)), make([]error, len(lines))
	var sending sync.WaitGroup
	for i, l := range lines {
		sending.Go(func() { outputs[i], errs[i] = b.send(l) })
	}
	sending.Wait()
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("the status of %s: %w", process, err)
	}
	_, _, err := b.chat.PostMessageContext(ctx, command.ChannelID, slack.MsgOptionText("```"+strings.Join(outputs, "")+"```", false))
	return err
}

func (b *bare) send(l line) (string, error) {
	session, err := b.clients[l.host].NewSession()
	if err != nil {
		return "", fmt.Errorf("opening a session on %s: %w", l.host, err)
	}
	defer session.Close()
	out, err := session.CombinedOutput(l.sent)
	if errors.As(err, new(*ssh.ExitError)) {
		err = nil // the output is posted anyway
	}
	return string(out), err
}
