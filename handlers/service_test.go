package handlers

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"dhbot/auth"
	"dhbot/handlers/call"
	"dhbot/internal/audit"
	"dhbot/internal/card"
	"dhbot/internal/card/outputcard"
	"dhbot/internal/command"
	"dhbot/internal/engine"
	"dhbot/internal/refusal"
	"dhbot/internal/remote"
	"dhbot/internal/status"
	"dhbot/internal/test/grammartest"
	"dhbot/internal/test/memstore"
	"dhbot/internal/test/statustest"
	"dhbot/runbooks"
	"dhbot/runbooks/catalogs"
)

const homeTeam = "T1"

// testService is a Service over an in-memory store. A person's Slack id is their name, and a
// test sets the answers of the hosts.
type testService struct {
	*Service
	store *memstore.Store
	hosts *hosts
	dir   *directory
	n     atomic.Int64
}

// hosts answers every status command with monit's output for a running process, and
// records the commands. No plan is executed, since the engine's worker is not started.
type hosts struct {
	mu   sync.Mutex
	sent []string
	say  func(c remote.Command) remote.Result
	hang bool // whether no command gets an answer
}

func (h *hosts) Run(ctx context.Context, c remote.Command) remote.Result {
	h.mu.Lock()
	h.sent = append(h.sent, c.Sent)
	h.mu.Unlock()
	if h.hang {
		<-ctx.Done()
		return remote.Result{Outcome: remote.TimedOut}
	}
	return h.say(c)
}

func running(c remote.Command) remote.Result { return statustest.World{}.Say(c, time.Now()) }

// saying returns hosts with the service states of a test.
func saying(w statustest.World) func(remote.Command) remote.Result {
	return func(c remote.Command) remote.Result { return w.Say(c, time.Now()) }
}

// down returns hosts on which some services are down.
func down(services ...string) func(remote.Command) remote.Result {
	w := statustest.World{}
	for _, s := range services {
		w[s] = statustest.Process{Status: "Execution failed | Does not exist", PID: -1}
	}
	return saying(w)
}

// directory confirms every account of the home team, unless a test sets a profile.
type directory struct{ profiles map[string]auth.Profile }

func (d *directory) Lookup(_ context.Context, a auth.Account, _ time.Duration) (auth.Profile, error) {
	if p, ok := d.profiles[a.User]; ok {
		return p, nil
	}
	if a.User == "UNREACHABLE" {
		return auth.Profile{}, errors.New("users.info: timeout")
	}
	return auth.Profile{Account: a, ID: a.User, Organisation: a.Team}, nil
}

func newTestService(t *testing.T) *testService { return newTestServiceWith(t, func(*call.Settings) {}) }

// newTestServiceWith returns a test service with changed settings.
func newTestServiceWith(t *testing.T, change func(*call.Settings)) *testService {
	t.Helper()
	h := &testService{store: memstore.New(memstore.Config{}), hosts: &hosts{say: running}, dir: &directory{profiles: map[string]auth.Profile{}}}
	person := func(name string, users ...string) auth.Person {
		p := auth.Person{Name: name}
		for _, u := range users {
			p.Accounts = append(p.Accounts, auth.Account{Team: homeTeam, User: u})
		}
		return p
	}
	roles := auth.Roles{
		auth.Reader:   {"rita"},
		auth.Operator: {"anna", "ben"},
		auth.Approver: {"anna", "ben", "chris"},
	}
	rules := &auth.Rules{
		Home:     homeTeam,
		People:   []auth.Person{person("anna", "UANNA", "WANNA"), person("ben", "UBEN"), person("chris", "UCHRIS"), person("rita", "URITA")},
		Clusters: map[string]auth.Roles{"prod": roles, "qa": {auth.Operator: {"anna"}}},
	}
	log := slog.New(slog.DiscardHandler)
	eng, err := engine.New(engine.Config{
		Runs: h.store, Runner: h.hosts, Gate: late{h}, Ledger: h.store, Replica: "bot", Now: time.Now, Log: log,
		Policy: engine.Policy{VoteTTL: 15 * time.Minute, StartTTL: 2 * time.Minute},
	})
	if err != nil {
		t.Fatal(err)
	}
	settings := call.Settings{
		Grammar: *grammartest.New(t), Rules: rules, Directory: h.dir, Engine: eng, Runs: h.store, Windows: h.store, Keeper: h.store, Log: h.store, Posts: h.store,
		Remote: h.hosts, NewID: h.store.NewID, OpenChannel: "C0OPEN", Now: time.Now, Logger: log,
	}
	change(&settings)
	now := func() time.Time { return h.Now() }
	settings.Status, err = status.New(status.Config{Catalogs: settings.Catalogs, Fleet: settings.Fleet, Remote: h.hosts, Store: h.store, Now: now})
	if err != nil {
		t.Fatal(err)
	}
	h.Service, err = New(settings)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// answers are the cards and messages shown to a person.
type answers struct {
	shown, whispered []string
	direct           []string
	forms            []card.Form
	files            []outputcard.File
	codes            []refusal.Code // the codes of the refusals that were shown
}

func (a *answers) Show(_ context.Context, c card.Card) error {
	a.shown = append(a.shown, card.PlainText(c))
	return nil
}
func (a *answers) Ephemeral(_ context.Context, c card.Card) error {
	a.whispered = append(a.whispered, card.PlainText(c))
	if c.Code != "" {
		a.codes = append(a.codes, c.Code)
	}
	return nil
}
func (a *answers) Ask(_ context.Context, f card.Form) error {
	a.forms = append(a.forms, f)
	return nil
}
func (a *answers) Attach(_ context.Context, f outputcard.File) error {
	a.files = append(a.files, f)
	return nil
}
func (a *answers) Direct(_ context.Context, c card.Card, files ...outputcard.File) error {
	a.direct = append(a.direct, card.PlainText(c))
	a.files = append(a.files, files...)
	return nil
}
func (a *answers) all() string { return strings.Join(append(a.shown, a.whispered...), "\n") }

// code returns the code of the only refusal, or "".
func (a *answers) code() refusal.Code {
	if len(a.codes) != 1 {
		return ""
	}
	return a.codes[0]
}

// refused checks the code of a refusal.
func refused(t *testing.T, a *answers, want refusal.Code) {
	t.Helper()
	if a.code() != want {
		t.Errorf("refused as %q, want %q: %s", a.codes, want, a.all())
	}
}

func (h *testService) message(user, text string) call.Message {
	return call.Message{Key: fmt.Sprintf("slash/%d", h.n.Add(1)), Via: call.Slash, Account: auth.Account{Team: homeTeam, User: user}, Channel: "C1", Text: text, At: time.Now()}
}

// handleMessage parses a message on arrival, as the Slack client does, and handles it.
func (h *testService) handleMessage(m call.Message) *answers {
	a := &answers{}
	m.Parsed = h.Receive(m)
	h.Handle(context.Background(), m, a)
	return a
}

func (h *testService) say(user, text string) *answers { return h.handleMessage(h.message(user, text)) }

func (h *testService) openRuns(t *testing.T) []engine.Stored {
	t.Helper()
	open, err := h.store.Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return open
}

// TestSettled: the handler reports a delivery as settled if and only if the action settled
// it.
func TestSettled(t *testing.T) {
	h := newTestService(t)
	for _, tt := range []struct {
		user, text string
		settled    bool
	}{
		{"URITA", "status db_dis", true},
		{"UANNA", "restart db_dis", true},
		{"UANNA", "restart db_dis", false}, // shown the existing run
		{"URITA", "restart db_ltds", true}, // its refusal is recorded
		{"UNOBODY", "status db_dis", true}, // likewise
		{"URITA", "help", false},
		{"URITA", "runs", false},
		{"URITA", "stattus db_dis", false},
		{"UANNA", "approve R-0000 db_dis", true}, // an unknown run is answered like a run that the person may not read
	} {
		m := h.message(tt.user, tt.text)
		if _, err := h.store.Claim(t.Context(), m.Key, []byte("{}")); err != nil {
			t.Fatal(err)
		}
		a := &answers{}
		if got := h.Handle(t.Context(), m, a); got != tt.settled {
			t.Errorf("%s by %s: settled %v, want %v; %q", tt.text, tt.user, got, tt.settled, a.all())
		}
		left := false
		if err := h.store.Unsettled(t.Context(), func(key string, _ []byte, _ string, _ time.Time) error {
			left = left || key == m.Key
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		if left == tt.settled {
			t.Errorf("%s by %s: the claim is left open: %v", tt.text, tt.user, left)
		}
	}
}

// TestNoCommandEscapesTheGate: an unauthorised person gets nothing from any row of the
// command table, and nothing is sent or stored.
func TestNoCommandEscapesTheGate(t *testing.T) {
	h := newTestService(t)
	if a := h.say("UANNA", "restart db_dis"); len(a.whispered) > 0 {
		t.Fatal(a.all())
	}
	id := h.openRuns(t)[0].Run.ID
	h.dir.profiles["UDELETED"] = auth.Profile{Account: auth.Account{Team: homeTeam, User: "UANNA"}, ID: "UANNA", Organisation: homeTeam, Deleted: true}
	outsider := auth.Account{Team: "T2", User: "UANNA"}
	strangers := map[refusal.Code]auth.Account{
		auth.NotAMember:   outsider,
		auth.NotKnown:     {Team: homeTeam, User: "UNOBODY"},
		auth.LookupFailed: {Team: homeTeam, User: "UNREACHABLE"},
		auth.Deactivated:  {Team: homeTeam, User: "UDELETED"},
	}
	for _, cmd := range h.Commands() {
		for why, account := range strangers {
			before := len(h.openRuns(t))
			sent := len(h.hosts.sent)
			m := h.message("", map[command.Object]string{command.Nothing: cmd.Verb, command.AnyTarget: cmd.Verb + " db_dis", command.ProcessNamed: cmd.Verb + " db_ltds", command.RunNamed: cmd.Verb + " " + id + " db_dis", command.Topic: cmd.Verb, command.TrailPart: cmd.Verb, command.ProcessImplied: cmd.Verb, command.HostNamed: cmd.Verb + " infra-1", command.ClusterMeant: cmd.Verb, command.CommandNamed: cmd.Verb + " restart db_ltds"}[cmd.Object])
			m.Account = account
			a := h.handleMessage(m)
			if a.code() != why || len(a.shown) > 0 {
				t.Errorf("%s by %s: %q", cmd.Verb, why, a.all())
			}
			if len(h.openRuns(t)) != before || len(h.hosts.sent) != sent {
				t.Errorf("%s by %s did something", cmd.Verb, why)
			}
		}
	}
	if r, err := h.store.Get(t.Context(), id); err != nil || r.Run.State != engine.Waiting || len(r.Run.Votes) != 0 {
		t.Errorf("the run is %s with %d votes, %v", r.Run.State, len(r.Run.Votes), err)
	}
}

func TestReaderOnlyReads(t *testing.T) {
	h := newTestService(t)
	if a := h.say("URITA", "status db_dis"); len(a.shown) == 0 || !strings.Contains(a.all(), "Sev 0") {
		t.Errorf("status: %q", a.all())
	}
	for _, verb := range []string{"restart", "start", "stop"} {
		refused(t, h.say("URITA", verb+" db_ltds"), auth.LacksRole)
	}
	if n := len(h.openRuns(t)); n != 0 {
		t.Errorf("%d runs", n)
	}
}

func TestVotes(t *testing.T) {
	h := newTestService(t)
	h.say("UANNA", "restart db_dis it hangs")
	r := h.openRuns(t)[0].Run
	if r.State != engine.Waiting || r.Need != 1 || r.Reason != "it hangs" {
		t.Fatalf("state %s, need %d, reason %q", r.State, r.Need, r.Reason)
	}
	tap := func(user, action, value string) *answers {
		m := h.message(user, "")
		m.Via, m.Tap = call.Button, call.Tap{Action: action, Value: value}
		return h.handleMessage(m)
	}
	good := r.ID + " " + r.Plan.Digest
	for _, c := range []struct {
		what string
		want refusal.Code
		do   func() *answers
	}{
		{"own tap", auth.OwnRequest, func() *answers { return tap("UANNA", TapApprove, good) }},
		{"own tap by another account", auth.OwnRequest, func() *answers { return tap("WANNA", TapApprove, good) }},
		{"own words", auth.OwnRequest, func() *answers { return h.say("UANNA", "approve "+r.ID+" db_dis") }},
		{"reader", auth.LacksRole, func() *answers { return tap("URITA", TapApprove, good) }},
		{"another digest", engine.OtherDigest, func() *answers { return tap("UBEN", TapApprove, r.ID+" "+strings.Repeat("0", 64)) }},
		{"no digest", engine.OtherDigest, func() *answers { return tap("UBEN", TapApprove, r.ID) }},
		{"no target", call.BadArgument, func() *answers { return h.say("UBEN", "approve "+r.ID) }},
		{"another target", call.BadArgument, func() *answers { return h.say("UBEN", "approve "+r.ID+" db_ltds") }},
		{"another run", auth.NoSuchRun, func() *answers { return h.say("UBEN", "approve R-ZZZZ db_dis") }},
		{"unknown button", call.OldButton, func() *answers { return tap("UBEN", "explode", good) }},
		{"a deny without a reason by words", engine.NeedsReason, func() *answers { return h.say("UBEN", "deny "+r.ID) }},
	} {
		a := c.do()
		if a.code() != c.want {
			t.Errorf("%s: %q %s", c.what, a.codes, a.all())
		}
		if now, _ := h.store.Get(t.Context(), r.ID); now.Run.State != engine.Waiting || len(now.Run.Votes) != 0 {
			t.Fatalf("%s: the run is %s with %d votes", c.what, now.Run.State, len(now.Run.Votes))
		}
	}
	for what, do := range map[string]func() *answers{
		"words": func() *answers { return h.say("UANNA", "deny "+r.ID+" my mistake") },
		"tap":   func() *answers { return tap("UANNA", TapDeny, good) },
	} {
		want := "Not allowed: anna requested " + r.ID + " and can only cancel it: `cancel " + r.ID + "`."
		if a := do(); a.code() != auth.OwnRequest || len(a.forms) > 0 || !strings.Contains(a.all(), want) {
			t.Errorf("the requester denies by %s: %q, want %q", what, a.all(), want)
		}
	}
	if a := tap("UBEN", TapDeny, good); len(a.forms) != 1 {
		t.Errorf("a tap on deny does not ask for the reason: %q", a.all())
	}
	if a := tap("UBEN", TapApprove, good); len(a.whispered) != 0 {
		t.Errorf("approve: %q", a.all())
	}
	now, _ := h.store.Get(t.Context(), r.ID)
	if now.Run.State != engine.Approved || len(now.Run.Votes) != 1 || now.Run.Votes[0].Person != "ben" {
		t.Fatalf("the run is %s with %v", now.Run.State, now.Run.Votes)
	}
	if err := h.Recheck(t.Context(), now.Run); err != nil {
		t.Errorf("recheck: %v", err)
	}
	refused(t, tap("UCHRIS", TapApprove, good), engine.AlreadyApproved)
}

// late is the engine's Gate in tests. It calls the service, which is made after the engine.
type late struct{ *testService }

func (l late) Derive(r engine.Run) (runbooks.Plan, error)      { return l.Service.Derive(r) }
func (l late) Recheck(ctx context.Context, r engine.Run) error { return l.Service.Recheck(ctx, r) }

// TestDeriveTrustsNothingStored: a plan is derived from its inputs only. A stored plan
// with the same digest but other content is refused.
func TestDeriveTrustsNothingStored(t *testing.T) {
	h := newTestService(t)
	h.say("UANNA", "restart db_dis")
	r := h.openRuns(t)[0].Run
	want, err := engine.Derive(h, r)
	if err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(p *runbooks.Plan){
		"other bytes sent":    func(p *runbooks.Plan) { p.Steps[1].Sent = strings.Replace(p.Steps[1].Sent, "restart", "stop", 1) },
		"another host":        func(p *runbooks.Plan) { p.Steps[1].Address = "10.9.9.9:22" },
		"a lower level":       func(p *runbooks.Plan) { p.Severity = runbooks.Low },
		"a lock less":         func(p *runbooks.Plan) { p.Locks = p.Locks[1:] },
		"a step less":         func(p *runbooks.Plan) { p.Steps = p.Steps[:2] },
		"another digest":      func(p *runbooks.Plan) { p.Digest = strings.Repeat("a", 64) },
		"a condition dropped": func(p *runbooks.Plan) { p.Steps[2].Until = runbooks.Shown },
	} {
		forged := r
		forged.Plan.Steps, forged.Plan.Locks = slices.Clone(r.Plan.Steps), slices.Clone(r.Plan.Locks)
		change(&forged.Plan)
		if _, err := engine.Derive(h, forged); err == nil {
			t.Errorf("%s: passes", name)
		}
		if made, err := h.Service.Derive(forged); err != nil || !made.Same(want) {
			t.Errorf("%s: the new plan contains data of the stored one: %v", name, err)
		}
	}
}

// TestRecheck: the start repeats the checks of the approval.
func TestRecheck(t *testing.T) {
	h := newTestService(t)
	h.say("UANNA", "restart db_dis")
	r := h.openRuns(t)[0].Run
	if err := h.Recheck(t.Context(), r); err == nil {
		t.Error("a run without its approval passes")
	}
	h.say("UBEN", "approve "+r.ID+" db_dis")
	stored, _ := h.store.Get(t.Context(), r.ID)
	r = stored.Run
	for what, change := range map[string]func(){
		"the approver has left": func() {
			h.dir.profiles["UBEN"] = auth.Profile{Account: r.Votes[0].Account, ID: "UBEN", Organisation: homeTeam, Deleted: true}
		},
		"the requester has become a guest": func() {
			h.dir.profiles["UANNA"] = auth.Profile{Account: r.Asked.Account, ID: "UANNA", Organisation: homeTeam, Guest: true}
		},
		"the approver has lost the role": func() {
			h.Rules.Clusters["prod"] = auth.Roles{auth.Operator: {"anna"}, auth.Approver: {"chris"}}
		},
		"the host has another address":         func() { h.Fleet.Clusters[0].Hosts[0].Address = "10.9.9.9:22" },
		"the config has another monit command": func() { h.Fleet.Clusters[0].Hosts[0].Monit = []string{"sudo", "monit"} },
		"sudo on the host needs a wrapper":     func() { h.Fleet.Clusters[0].Hosts[0].OldSudo = true },
		"the process has moved away":           func() { h.Fleet.Clusters[0].Hosts[0].Processes = []string{"db_ltds"} },
	} {
		roles, host := h.Rules.Clusters["prod"], h.Fleet.Clusters[0].Hosts[0]
		change()
		_, differs := engine.Derive(h, r)
		if err := errors.Join(differs, h.Recheck(t.Context(), r)); err == nil {
			t.Errorf("%s: passes", what)
		}
		h.Rules.Clusters["prod"], h.Fleet.Clusters[0].Hosts[0] = roles, host
		clear(h.dir.profiles)
		if err := h.Recheck(t.Context(), r); err != nil {
			t.Fatalf("after %s: %v", what, err)
		}
	}
}

func TestSameRequestShowsTheOpenRun(t *testing.T) {
	h := newTestService(t)
	h.say("UANNA", "restart db_dis")
	if a := h.say("UBEN", "restart dis"); !strings.Contains(a.all(), "already open") {
		t.Errorf("got %q", a.all())
	}
	if n := len(h.openRuns(t)); n != 1 {
		t.Errorf("%d runs", n)
	}
}

func TestTooFewApprovers(t *testing.T) {
	h := newTestService(t)
	m := h.message("UANNA", "restart db_dis in qa")
	a := h.handleMessage(m)
	if a.code() != auth.TooFew || !strings.Contains(a.all(), "sudo monit restart db_dis") {
		t.Errorf("the refusal lacks the command to run by hand: %q", a.all())
	}
	if n := len(h.openRuns(t)); n != 0 {
		t.Errorf("%d runs", n)
	}
}

// TestMessagesThatMayNotChangeAnything: late or unclaimed messages, and channels that outsiders read,
// cannot change anything.
func TestMessagesThatMayNotChangeAnything(t *testing.T) {
	h := newTestService(t)
	for what, spoil := range map[string]func(*call.Message){
		"late":      func(m *call.Message) { m.At = m.At.Add(-2 * time.Minute) },
		"unclaimed": func(m *call.Message) { m.Key = "" },
		"shared":    func(m *call.Message) { m.ChannelShared = true },
		"outside":   func(m *call.Message) { m.Outside = true },
	} {
		m := h.message("UANNA", "restart db_ltds")
		spoil(&m)
		if a := h.handleMessage(m); len(a.whispered) != 1 || len(h.openRuns(t)) != 0 {
			t.Errorf("%s: %q, %d runs", what, a.all(), len(h.openRuns(t)))
		}
	}
	m := h.message("UANNA", "status db_ltds")
	m.Key = ""
	if a := h.handleMessage(m); !strings.Contains(a.all(), "this read is not recorded") {
		t.Errorf("an unclaimed read: %q", a.all())
	}
	m = h.message("UANNA", "restart db_ltds")
	m.Outside, m.ChannelShared = true, true // a channel hidden by Slack may also be shared
	if a := h.handleMessage(m); !strings.Contains(a.all(), "I am not in this channel") || !strings.Contains(a.all(), "/invite") {
		t.Errorf("in a channel without the bot: %q", a.all())
	}
	m = h.message("UANNA", "status db_ltds")
	m.ChannelShared = true
	if a := h.handleMessage(m); len(a.shown) != 0 || len(a.whispered) == 0 {
		t.Errorf("output of hosts in a channel with outsiders: %q", a.all())
	}
}

// TestFailedQueryIsNeverGreen: if a status command fails in any way, the card shows unknown.
func TestFailedQueryIsNeverGreen(t *testing.T) {
	h := newTestService(t)
	for _, o := range []remote.Outcome{remote.NoOutcome, remote.SudoRefused, remote.SupervisorSilent, remote.Unreachable, remote.HostKeyWrong, remote.LoginRefused, remote.TimedOut, remote.FateUnknown} {
		h.hosts.say = func(remote.Command) remote.Result {
			return remote.Result{Outcome: o, Detail: "it did not answer", Ended: time.Now()}
		}
		for _, text := range []string{"status db_dis", "status infra-1", "status"} {
			a := h.say("URITA", text)
			if strings.Contains(a.all(), "Sev 0") || strings.Contains(a.all(), "🟢") || !strings.Contains(strings.ToLower(a.all()), "unknown") {
				t.Errorf("%s, %s: %q", o, text, a.all())
			}
		}
	}
}

// TestSlowHostDelaysNothing: the results known after two seconds are shown.
func TestSlowHostDelaysNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newTestService(t)
		release := make(chan struct{})
		h.hosts.say = func(c remote.Command) remote.Result {
			if c.Host == "query-2" {
				<-release
			}
			return running(c)
		}
		first := make(chan string, 8)
		done := make(chan struct{})
		go func() {
			defer close(done)
			h.Handle(context.Background(), h.message("URITA", "status"), showing{first})
		}()
		early := <-first
		if !strings.Contains(early, "no answer yet") || !strings.Contains(early, "as expected") {
			t.Errorf("first: %q", early)
		}
		close(release)
		<-done
		var last string
		for len(first) > 0 {
			last = <-first
		}
		if strings.Contains(last, "no answer yet") {
			t.Errorf("last: %q", last)
		}
	})
}

type showing struct{ to chan string }

func (s showing) Show(_ context.Context, c card.Card) error { s.to <- card.PlainText(c); return nil }
func (s showing) Ephemeral(_ context.Context, c card.Card) error {
	s.to <- card.PlainText(c)
	return nil
}
func (s showing) Ask(context.Context, card.Form) error          { return nil }
func (s showing) Attach(context.Context, outputcard.File) error { return nil }
func (s showing) Direct(_ context.Context, c card.Card, _ ...outputcard.File) error {
	s.to <- card.PlainText(c)
	return nil
}

// TestReadsAreRecorded: reads and refusals are recorded.
func TestReadsAreRecorded(t *testing.T) {
	h := newTestService(t)
	h.say("URITA", "status db_dis")
	h.say("UNOBODY", "restart db_dis")
	var kinds []audit.Kind
	if err := h.store.Trail(t.Context(), 1, func(s audit.Sealed) error { kinds = append(kinds, s.Record.Kind); return nil }); err != nil {
		t.Fatal(err)
	}
	if len(kinds) != 2 || kinds[0] != audit.ReadDone || kinds[1] != audit.Refused {
		t.Errorf("records: %v", kinds)
	}
}

// TestEveryVerbHasItsAction compares the command table with the catalog.
func TestEveryVerbHasItsAction(t *testing.T) {
	g := grammartest.New(t)
	cat, _ := g.Catalogs.Get("current")
	seen := map[string]string{}
	for _, cmd := range command.Table() {
		for _, w := range append([]string{cmd.Verb}, cmd.Aliases...) {
			if other, twice := seen[w]; twice {
				t.Errorf("%q is both %s and %s", w, other, cmd.Verb)
			}
			seen[w] = cmd.Verb
		}
		if cmd.Action == "" {
			continue
		}
		process := "db_dis"
		if cmd.Object == command.ClusterMeant {
			process = ""
		}
		a, err := cat.Action(cmd.Action, process)
		if err != nil {
			t.Errorf("%s: %v", cmd.Verb, err)
		} else if a.Class != cmd.Class {
			t.Errorf("%s is %s in the table and %s in the catalog", cmd.Verb, cmd.Class, a.Class)
		}
		if cmd.Class.Changing() && cmd.Object != command.ProcessNamed {
			t.Errorf("%s: a change does not name its process", cmd.Verb)
		}
	}
	if _, err := catalogs.Builtin(); err != nil {
		t.Error(err)
	}
}
