package demo_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"dhbot/internal/sim/demo"
	"dhbot/internal/sim/slacklocal"
)

// TestLabStatusTime queries every process of the lab, one after the other in one channel, and
// reports the waiting times. It requires an answer to every query, but sets no time limit.
func TestLabStatusTime(t *testing.T) {
	real := lab(t)
	o := demo.Options{Generation: "current", Real: &real, Log: slog.New(slog.NewTextHandler(io.Discard, nil))}
	err := demo.Run(t.Context(), o, func(ctx context.Context, d *demo.Demo) error {
		var took []time.Duration
		for _, h := range real.Cluster.Hosts {
			for _, p := range h.Processes {
				wait, err := waits(ctx, d.Slack, "status "+p+" on "+h.Name, p+" on "+h.Name)
				if err != nil {
					return err
				}
				took = append(took, wait)
			}
		}
		slices.Sort(took)
		t.Logf("%d statuses, one after the other: median %s, longest %s", len(took), took[len(took)/2], took[len(took)-1])
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

// waits measures how long a new message that contains want takes to appear after a command in
// #incident.
func waits(ctx context.Context, slack *slacklocal.Server, command, want string) (time.Duration, error) {
	before, err := slack.Messages("incident", "operator")
	if err != nil {
		return 0, err
	}
	began := time.Now()
	if _, err := slack.Slash(slacklocal.SlashCommand{User: "operator", Channel: "incident", Command: "/dh", Text: command}); err != nil {
		return 0, err
	}
	for ctx.Err() == nil {
		now, err := slack.Messages("incident", "operator")
		if err != nil {
			return 0, err
		}
		for _, m := range now[len(before):] {
			if strings.Contains(m.Text, want) {
				return m.At.Sub(began), nil
			}
		}
		if time.Since(began) > 30*time.Second {
			return 0, errors.New(command + ": no answer within 30 s")
		}
		time.Sleep(10 * time.Millisecond)
	}
	return 0, ctx.Err()
}
