package demo_test

import (
	"context"
	"fmt"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"dhbot/internal/app"
	"dhbot/internal/card"
	"dhbot/internal/sim/demo"
	"dhbot/internal/sim/hostsim"
	"dhbot/internal/sim/slacklocal"
	"dhbot/internal/slackio"
)

// cardWithin is the longest time that the card of a restart may take to appear in the channel,
// under any load.
const cardWithin = 3 * time.Second

// TestCardBesideFloods runs the whole bot with the rate limits of Slack. During a flood, the card
// of a restart must be in its channel within 3 s, and the requester must be able to cancel the
// restart at once. The test measures time, so it runs only in .ci/long.
func TestCardBesideFloods(t *testing.T) {
	if os.Getenv("DHBOT_FLOOD") == "" {
		t.Skip("set DHBOT_FLOOD to measure")
	}
	others := unknownPeople(300)
	names := make([]string, len(others))
	for i, p := range others {
		names[i] = p.Name
	}
	for _, tt := range []struct {
		name, text string
		who        []string
	}{
		{"300 reads of one person in the channel", "status db_dis", []string{"reader"}},
		{"300 commands of strangers", "status db_dis", names},
		{"300 reads of the requester", "status db_dis", []string{"operator"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			o := demo.Options{Generation: hostsim.Current, Pace: 0.1, Log: warnings(t), Others: others}
			err := demo.Run(t.Context(), o, func(_ context.Context, d *demo.Demo) error {
				say := func(who, text string) error {
					_, err := d.Slack.Slash(slacklocal.SlashCommand{User: who, Channel: slacklocal.DemoIncident, Command: "/dh", Text: text})
					return err
				}
				var flood sync.WaitGroup
				defer flood.Wait()
				half := make(chan struct{})
				flood.Go(func() {
					for n := range 300 {
						if n == 150 {
							close(half)
						}
						if err := say(tt.who[n%len(tt.who)], tt.text); err != nil {
							t.Error(err)
						}
					}
				})
				<-half
				asked := time.Now()
				if err := say("operator", "restart db_dis because disk was full"); err != nil {
					return err
				}
				run := shows(t, d, "Approval needed")
				card := time.Since(asked)
				ended := time.Now()
				if err := say("operator", "cancel "+run); err != nil {
					return err
				}
				shows(t, d, "Cancelled")
				t.Logf("card after %s, cancelled on it after %s", card.Round(time.Millisecond), time.Since(ended).Round(time.Millisecond))
				if card > cardWithin || time.Since(ended) > cardWithin {
					t.Errorf("the card was in the channel later than %s", cardWithin)
				}
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
		})
	}
}

// TestCardBesideEdits runs the whole bot with the rate limits of Slack and 1,000 queued edits.
// The card of a restart must be posted, and must show the end of the restart, before most of
// these edits. A bot that sends edits in order of arrival would send all of them first.
func TestCardBesideEdits(t *testing.T) {
	t.Parallel()
	const flood = 1000
	var edge app.Slack
	wrap := func(e *app.Edges) {
		open := e.Slack
		e.Slack = func(c slackio.Claims, h app.Handler) (app.Slack, error) {
			s, err := open(c, h)
			edge = s
			return s, err
		}
	}
	o := demo.Options{Generation: hostsim.Current, Pace: 0.1, Log: warnings(t), Wrap: wrap}
	err := demo.Run(t.Context(), o, func(ctx context.Context, d *demo.Demo) error {
		ctx, stop := context.WithCancel(ctx)
		var edits sync.WaitGroup
		defer edits.Wait()
		defer stop()
		var begun, made atomic.Int64
		for i := range flood {
			edits.Go(func() {
				begun.Add(1)
				_ = edge.Edit(ctx, slacklocal.DemoIncident, fmt.Sprintf("1700000000.%06d", i), card.Card{Push: "an edit", Head: card.Line{card.T("an edit")}}, false)
				if ctx.Err() == nil {
					made.Add(1)
				}
			})
		}
		await(t, "the flood", func() bool { return begun.Load() == flood })
		say := func(who, text string) error {
			_, err := d.Slack.Slash(slacklocal.SlashCommand{User: who, Channel: slacklocal.DemoIncident, Command: "/dh", Text: text})
			return err
		}
		if err := say("operator", "restart db_dis because disk was full"); err != nil {
			return err
		}
		run := shows(t, d, "Approval needed")
		if err := say("approver", "deny "+run+" not now"); err != nil {
			return err
		}
		shows(t, d, "Denied")
		if n := made.Load(); n > flood/2 {
			t.Errorf("%d of %d edits were made before the card of a restart and its end", n, flood)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// shows waits for a run's message in the incident channel and returns the run's
// id.
func shows(t *testing.T, d *demo.Demo, text string) (run string) {
	t.Helper()
	await(t, "a message with "+text, func() bool {
		list, err := d.Slack.Messages(slacklocal.DemoIncident, "")
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range list {
			all := m.Text + fmt.Sprint(m.Blocks)
			if !strings.Contains(all, text) {
				continue
			}
			if i := strings.Index(all, "R-"); i >= 0 && i+6 <= len(all) {
				run = all[i : i+6]
				return true
			}
		}
		return false
	})
	return run
}
