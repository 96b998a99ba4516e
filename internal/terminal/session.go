package terminal

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
	"dhbot/handlers"
	"dhbot/internal/card"
	"dhbot/internal/engine"
)

const (
	commandBudget = 5 * time.Minute        // for a command's own answer, as in a chat
	grace         = 2 * time.Second        // for a command under way when the bot stops
	lookEvery     = 250 * time.Millisecond // between two looks at a run that is followed
	keyShown      = 12                     // characters of the nonce that name the delivery in logs
)

// stream writes events, a line each. What cannot be written any more is lost:
// the person has hung up.
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

// carryOut hands the command to the handlers, and follows the run that it asks
// for. ctx is the server's life, asking the person's patience.
func (s *Server) carryOut(ctx, asking context.Context, person string, p proof, out *stream) {
	account := auth.Account{Team: auth.LocalTeam, User: person}
	work, cancel := context.WithTimeoutCause(context.WithoutCancel(ctx), commandBudget, fmt.Errorf("handling took longer than %s", commandBudget))
	defer cancel()
	defer context.AfterFunc(ctx, func() { time.AfterFunc(grace, cancel) })() // what is nearly done is not broken off
	m := handlers.Message{Key: "terminal/" + p.Nonce[:keyShown], Via: handlers.Terminal, Account: account, Text: p.Command, At: s.Now()}
	got := s.Command(work, m, reply{out})
	end := End{OK: got.OK, Run: got.Run}
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
		s.Logger.Debug("the person at the terminal has hung up", "err", err)
	}
}

// follow shows a run whenever it has changed, until nothing more happens to it
// by itself.
func (s *Server) follow(ctx context.Context, id string, out *stream) End {
	var shown int64
	silent := false // the store did not answer the last time
	for {
		st, err := s.Run(ctx, id)
		switch {
		case ctx.Err() != nil:
			return End{Run: id, Why: "not followed to its end: the bot is stopping, and goes on with the run when it is back"}
		case errors.Is(err, engine.ErrNotFound):
			return End{Run: id, Why: err.Error()}
		case err != nil:
			if !silent {
				s.tell(out, Event{Text: "The state store does not answer; waiting for it …\n"})
			}
			silent = true
		case st.Rev != shown:
			shown, silent = st.Rev, false
			s.tell(out, runEvent(st.Run))
			if r := st.Run; r.State.Ended() || r.State == engine.Unknown {
				return End{OK: r.State == engine.Done, Run: id, State: string(r.State), Why: r.Why}
			}
		}
		pause(ctx, lookEvery)
	}
}

func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}

// runEvent is a run as it stands, with what to type where a chat has buttons.
func runEvent(r engine.Run) Event {
	c := card.Run(r)
	switch r.State {
	case engine.Waiting:
		c.Foot = append(c.Foot, next("somebody else", "approve "+r.ID+" "+card.Target(r)), next("somebody else", "deny "+r.ID+" REASON"))
	case engine.Paused:
		c.Foot = append(c.Foot, next("when it is done", "done "+r.ID))
	}
	return Event{Text: text(c), Live: true, Run: r.ID, State: string(r.State)}
}

func next(who, command string) card.Line {
	return card.Line{card.T("→ " + who + ": "), card.C("bot do " + command)}
}

// text is a card for a terminal. Buttons cannot be tapped there: those that
// stand for a command are shown as that command.
func text(c card.Card) string {
	for _, b := range c.Buttons {
		if b.Action == card.TapCommand {
			c.Foot = append(c.Foot, next(strings.TrimSuffix(b.Label, "…"), b.Value))
		}
	}
	c.Buttons = nil
	return card.PlainText(c)
}

// reply answers at a terminal. Everything there is for the person alone.
type reply struct{ out *stream }

var _ handlers.Reply = reply{}

func (r reply) Show(_ context.Context, c card.Card) error {
	return r.out.send(Event{Text: text(c), Live: true})
}

func (r reply) Whisper(_ context.Context, c card.Card) error {
	return r.out.send(Event{Text: text(c)})
}

// Ask is an error: only taps open forms, and a terminal has none.
func (r reply) Ask(_ context.Context, f card.Form) error {
	return fmt.Errorf("the form %q cannot be opened at a terminal", f.Action)
}

func (r reply) Attach(_ context.Context, f card.File) error {
	return r.out.send(Event{File: &File{Name: f.Name, Title: f.Title, Content: string(f.Content)}})
}

func (r reply) Direct(ctx context.Context, c card.Card, files ...card.File) error {
	if err := r.Whisper(ctx, c); err != nil {
		return err
	}
	for _, f := range files {
		if err := r.Attach(ctx, f); err != nil {
			return err
		}
	}
	return nil
}
