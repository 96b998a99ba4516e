package localshell

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"dhbot/auth"
	"dhbot/handlers/call"
	"dhbot/internal/card"
	"dhbot/internal/card/outputcard"
	"dhbot/internal/card/runcard"
	"dhbot/internal/command"
	"dhbot/internal/engine"
	"dhbot/internal/pause"
	"dhbot/internal/tracing"
)

const (
	commandBudget = 5 * time.Minute        // time limit for the answer to a command, as in Slack
	grace         = 2 * time.Second        // time for a running command to end when the bot stops
	lookEvery     = 250 * time.Millisecond // interval of checks of a followed run
	keyShown      = 12                     // characters of the nonce in logs, as the id of the delivery
)

// stream writes events, one per line. Writes fail silently after the person has disconnected.
type stream struct {
	mu  sync.Mutex
	w   http.ResponseWriter
	enc *json.Encoder
}

func newStream(w http.ResponseWriter) *stream {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	return &stream{w: w, enc: enc}
}

func (s *stream) send(e Event) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.enc.Encode(e); err != nil {
		return err
	}
	return http.NewResponseController(s.w).Flush()
}

// origin says who sent a command: the verified person, and the local user who opened the
// connection.
type origin struct{ person, user string }

// carryOut passes a command to the handlers. If the command requests a run, carryOut follows the
// run. The context ctx ends with the server, and asking ends with the request.
func (s *Server) carryOut(ctx, asking context.Context, who origin, p proof, out *stream) {
	account := auth.Account{Team: auth.LocalTeam, User: who.person}
	work, cancel := context.WithTimeoutCause(context.WithoutCancel(ctx), commandBudget, &call.TooLong{After: commandBudget})
	defer cancel()
	defer context.AfterFunc(ctx, func() { time.AfterFunc(grace, cancel) })() // gives a running command time to end
	m := call.Message{
		Key:     "terminal/" + p.Nonce[:keyShown],
		Via:     call.Terminal,
		Account: account,
		Origin:  who.user,
		Text:    p.Command,
		At:      s.Now(),
	}
	if id, run := strings.CutPrefix(m.Text, RunPrefix); run {
		value, ok := s.proposals.take(who.person, id)
		if !ok {
			s.tell(out, Event{End: &End{Why: "nothing ran: the plan that you saw has expired; type the command again"}})
			return
		}
		m.Text, m.Proposal = "", value
	} else {
		m.Text, m.Yes = strings.CutPrefix(m.Text, YesPrefix)
	}
	work, span := tracing.BeginCommand(work, m.Key)
	defer span.End()
	got := s.Command(work, m, reply{out})
	kept := s.proposals.keep(who.person, got.Proposal)
	end := End{OK: got.OK, Unsure: got.Unsure, Run: got.Run, Confirm: got.Proposal != "", Proposal: kept}
	switch {
	case got.Asked:
		following, stop := context.WithCancel(ctx)
		defer context.AfterFunc(asking, stop)()
		defer stop()
		end = s.follow(following, got.Run, out)
	case got.Run != "":
		if st, err := s.Run(work, got.Run); err == nil {
			end.State = string(st.Run.State)
			s.tell(out, runEvent(st.Run))
		}
	}
	s.tell(out, Event{End: &end})
}

func (s *Server) tell(out *stream, e Event) {
	if err := out.send(e); err != nil {
		s.Logger.Debug("the person at the terminal has disconnected", "err", err)
	}
}

// follow shows a run after each change, until the run has ended or its state is engine.Unknown.
func (s *Server) follow(ctx context.Context, id string, out *stream) End {
	var shown int64
	silent := false // whether the store did not answer the previous query
	for {
		st, err := s.Run(ctx, id)
		switch {
		case ctx.Err() != nil:
			return End{Run: id, Why: "the run is no longer followed: the bot is stopping, and continues the run after its next start"}
		case errors.Is(err, engine.ErrNotFound):
			return End{Run: id, Why: err.Error()}
		case err != nil:
			if !silent {
				s.tell(out, Event{Text: "The bot's state store does not answer; waiting for it …\n"})
			}
			silent = true
		case st.Rev != shown:
			shown, silent = st.Rev, false
			s.tell(out, runEvent(st.Run))
			if r := st.Run; r.State.Ended() || r.State == engine.Unknown {
				return End{OK: r.State == engine.Done, Run: id, State: string(r.State), Why: r.Why}
			}
		}
		pause.For(ctx, lookEvery)
	}
}

// runEvent shows the current state of a run, with commands in place of buttons.
func runEvent(r engine.Run) Event {
	c := runcard.Run(r)
	switch r.State {
	case engine.Waiting:
		c.Foot = append(c.Foot, next("another person", "approve "+r.ID+" "+runcard.Target(r)), next("another person", "deny "+r.ID+" REASON"))
	case engine.Paused:
		c.Foot = append(c.Foot, next("when the step is done", "done "+r.ID))
	}
	return Event{Text: text(c), Live: true, Run: r.ID, State: string(r.State), Facts: runcard.FactsOfRun(r)}
}

func next(who, command string) card.Line {
	return card.Line{card.T("→ " + who + ": "), card.C("bot do " + command)}
}

// text renders a card for a terminal. For a button that stands for a command, it shows the command.
// It leaves out all other buttons.
func text(c card.Card) string {
	for _, b := range c.Buttons {
		if f, err := command.Decode(b.Value); b.Action == card.TapCommand && err == nil {
			c.Foot = append(c.Foot, next(strings.TrimSuffix(b.Label, "…"), shellText(f)))
		}
	}
	c.Buttons = nil
	return card.PlainText(c)
}

// shellText returns a command as a person types it at a terminal, with its reason.
func shellText(f command.Fields) string {
	if f.Reason == "" {
		return f.Text()
	}
	return f.Text() + " because " + f.Reason
}

// reply answers at a terminal, where only the person who typed the command sees the answers.
type reply struct{ out *stream }

var _ call.Reply = reply{}

func (r reply) Show(_ context.Context, c card.Card) error {
	return r.out.send(Event{Text: text(c), Live: true, Facts: c.Facts})
}

func (r reply) Ephemeral(_ context.Context, c card.Card) error {
	return r.out.send(Event{Text: text(c), Facts: c.Facts})
}

// Ask always returns an error, because a terminal cannot show a form.
func (r reply) Ask(_ context.Context, f card.Form) error {
	return fmt.Errorf("the form %q cannot be opened at a terminal", f.Action)
}

func (r reply) Attach(_ context.Context, f outputcard.File) error {
	return r.out.send(Event{File: &File{Name: f.Name, Title: f.Title, Content: string(f.Content)}})
}

func (r reply) Direct(ctx context.Context, c card.Card, files ...outputcard.File) error {
	if err := r.Ephemeral(ctx, c); err != nil {
		return err
	}
	for _, f := range files {
		if err := r.Attach(ctx, f); err != nil {
			return err
		}
	}
	return nil
}
