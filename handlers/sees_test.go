package handlers

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"dhbot/auth"
	"dhbot/handlers/call"
	"dhbot/internal/audit"
	"dhbot/internal/card"
	"dhbot/internal/command"
	"dhbot/internal/command/complete"
	"dhbot/internal/engine"
)

// hidden is a test service with data in the cluster prod. Two people must not learn this data:
// quinn, a reader of qa, and olga, an operator and approver of qa.
type hidden struct {
	*testService
	open, ended string // runs of prod
	own         string // a run of qa
	window      string // future maintenance of prod
}

// secrets are names in prod. "prod" is matched only as a word.
var secrets = []string{"infra-1", "query-1", "query-2", "quicksilver", "ben", "chris", "prod"}

func newHidden(t *testing.T) *hidden {
	t.Helper()
	h := &hidden{testService: newTestService(t)}
	for _, name := range []string{"quinn", "olga", "oscar"} {
		account := auth.Account{Team: homeTeam, User: "U" + strings.ToUpper(name)}
		h.Rules.People = append(h.Rules.People, auth.Person{Name: name, Accounts: []auth.Account{account}})
	}
	h.Rules.Clusters["qa"] = auth.Roles{
		auth.Reader: {"quinn"}, auth.Operator: {"anna", "olga", "oscar"}, auth.Approver: {"olga", "oscar"}, auth.Data: {"olga"},
	}
	h.say("UANNA", "restart iris_controller quicksilver")
	h.ended = h.openRuns(t)[0].Run.ID
	h.say("UBEN", "deny "+h.ended+" not for quicksilver")
	h.say("UANNA", "restart db_dis quicksilver")
	h.open = h.openRuns(t)[0].Run.ID
	h.say("UOSCAR", "restart db_dis in qa ours")
	for _, st := range h.openRuns(t) {
		if st.Run.Plan.Cluster == "qa" {
			h.own = st.Run.ID
		}
	}
	if h.own == "" || h.open == "" || h.own == h.open {
		t.Fatalf("the runs: %q, %q, %q", h.ended, h.open, h.own)
	}
	h.around(t)
	return h
}

// around adds more data to prod: a lock, maintenance, a watch, refusals.
func (h *hidden) around(t *testing.T) {
	t.Helper()
	st, err := h.store.Get(t.Context(), h.open)
	if err != nil {
		t.Fatal(err)
	}
	st.Run.State = engine.Running
	rec := audit.Link(audit.Record{At: time.Now(), Run: h.open, Kind: audit.Started, Cluster: "prod", Person: "ben", Target: "db_dis on infra-1"}, st.Run.Records+1, st.Run.Head)
	st.Run.Records, st.Run.Head = rec.Seq, audit.Hash(rec)
	change := engine.Change{Run: st.Run, Rev: st.Rev, Records: []audit.Record{rec}, Take: []string{"prod/process/db_dis"}}
	if _, err := h.store.Commit(t.Context(), change); err != nil {
		t.Fatal(err)
	}
	h.say("UANNA", "maintenance db_ltds 2h because quicksilver")
	asked := h.say("UANNA", "maintenance-window infra-1 in prod from="+h.Now().Add(time.Hour).Format(time.RFC3339)+" until=2d because quicksilver").all()
	if h.window = windowID.FindString(asked); h.window == "" {
		t.Fatalf("no window: %s", asked)
	}
	h.say("UANNA", "watch db_tdcp in prod 1h")
	h.say("URITA", "restart db_ltds")
	h.record(t, time.Minute, audit.Record{Kind: audit.ReadDone, Person: "ben", Action: "audit", Target: "iris_controller on infra-1"})
	h.opened(t, "prod", 1)
	if len(h.follows(t)) != 1 {
		t.Fatal("nothing is watched")
	}
}

// rows are attempts to learn about prod with each built-in verb. RUN, HOST and CLUSTER are
// replaced by names of prod and by unknown names.
var rows = map[string][]string{
	"verify":      {"verify", "verify in CLUSTER"},
	"status":      {"status", "status db_dis", "status HOST", "status CLUSTER", "status db_dis on HOST", "status in CLUSTER", "status iris_controller"},
	"watch":       {"watch", "watch HOST", "watch CLUSTER", "watch db_tdcp in CLUSTER end", "watch end"},
	"deps":        {"deps db_dis", "deps iris_controller", "deps db_dis in CLUSTER", "deps HOST"},
	"follow":      {"follow db_dis", "follow db_dis on HOST", "follow iris_controller in CLUSTER"},
	"restart":     {"restart HOST", "restart iris_controller", "restart db_dsi", "restart db_dis on HOST", "restart tailer1"},
	"start":       {"start HOST", "start iris_controller"},
	"stop":        {"stop HOST", "stop iris_controller"},
	"maintenance": {"maintenance", "maintenance db_ltds end", "maintenance HOST 2h"},
	"maintenance-window": {
		"maintenance-window HOST from=2099-12-05T20:00Z until=2d", "maintenance-window CLUSTER from=2099-12-05T20:00Z until=2d",
		"maintenance-window in CLUSTER",
	},
	"maintenance-approve": {"maintenance-approve id=WINDOW", "maintenance-approve in CLUSTER id=WINDOW"},
	"maintenance-cancel":  {"maintenance-cancel id=WINDOW", "maintenance-cancel in CLUSTER id=WINDOW"},
	"incidents":           {"incidents", "incidents CLUSTER-1"},
	"own":                 {"own", "own CLUSTER-1"},
	"handover":            {"handover olga", "handover CLUSTER-1 olga"},
	"release":             {"release", "release CLUSTER-1"},
	"mute":                {"mute", "mute CLUSTER-1 30m", "mute end"},
	"note":                {"note text", "note CLUSTER-1 text"},
	"approve":             {"approve RUN", "approve RUN db_dis"},
	"deny":                {"deny RUN", "deny RUN because"},
	"looking":             {"looking RUN"},
	"withdraw":            {"withdraw RUN"},
	"cancel":              {"cancel RUN", "cancel RUN because"},
	"done":                {"done RUN"},
	"close":               {"close RUN", "close RUN looked at it"},
	"continue":            {"continue RUN"},
	"byhand":              {"byhand RUN", "by hand RUN restarted it"},
	"show":                {"show RUN"},
	"details":             {"details RUN"},
	"runs":                {"runs"},
	"locks":               {"locks"},
	"people":              {"people", "people in CLUSTER"},
	"health":              {"health"},
	"audit":               {"audit", "audit RUN", "audit RUN since=1m", "audit db_dis", "audit iris_controller", "audit in CLUSTER", "audit bem", "audit me", "audit HOST"},
	"timeline":            {"timeline", "timeline RUN", "timeline since=2h", "timeline in CLUSTER"},
	"plan":                {"plan restart db_dis", "plan restart db_dis on HOST", "plan restart iris_controller", "plan restart db_dis in CLUSTER"},
	"help":                {"help", "help restart", "help iris_controller", "help db_disss", "help dh-monit-restart-all"},
}

// rowsOfVerb returns the attempts with a verb. For a verb that a catalog defines, they depend on
// the kind of object that the verb takes.
func rowsOfVerb(c command.Command, byHand []command.Command) []string {
	if slices.ContainsFunc(byHand, func(b command.Command) bool { return b.Verb == c.Verb }) {
		return rows[c.Verb]
	}
	switch c.Object {
	case command.ProcessNamed:
		return []string{c.Verb, c.Verb + " db_dis", c.Verb + " iris_controller", c.Verb + " db_dis on HOST", c.Verb + " HOST"}
	case command.ProcessImplied:
		return []string{c.Verb, c.Verb + " on HOST", c.Verb + " in CLUSTER"}
	case command.HostNamed:
		return []string{c.Verb, c.Verb + " HOST", c.Verb + " qa-2"}
	case command.ClusterMeant:
		return []string{c.Verb, c.Verb + " in CLUSTER", c.Verb + " on HOST"}
	default:
		return nil
	}
}

// places are the channels of the attempts: quinn's direct message with the bot, the channel of qa,
// and the channel of prod.
var places = []string{"", "CQ", "C1"}

var (
	real     = strings.NewReplacer("HOST", "infra-1", "CLUSTER", "prod")
	invented = strings.NewReplacer("HOST", "zzzzz-9", "CLUSTER", "zork", "RUN", "R-0000", "WINDOW", "M-AAAAAAAAAAAA")
)

// everything returns all that a person was shown.
func (a *answers) everything() string {
	var b strings.Builder
	b.WriteString(a.all() + strings.Join(a.direct, "\n"))
	for _, f := range a.forms {
		fmt.Fprintf(&b, "%+v", f)
	}
	for _, f := range a.files {
		b.WriteString(f.Title + string(f.Content))
	}
	return b.String()
}

var plainWord = regexp.MustCompile(`[A-Za-z0-9_-]+`)

// leaks returns the secrets in an answer that its author did not type.
func (h *hidden) leaks(said, answer string) []string {
	typed, seen := plainWord.FindAllString(said, -1), plainWord.FindAllString(answer, -1)
	var out []string
	for _, secret := range append([]string{h.open, h.ended}, secrets...) {
		if slices.Contains(seen, secret) && !slices.Contains(typed, secret) {
			out = append(out, secret)
		}
	}
	return out
}

// TestReaderOfOneCluster: no verb shows quinn or olga anything about prod. Names of prod get the same
// answer as unknown names.
func TestReaderOfOneCluster(t *testing.T) {
	h := newHidden(t)
	byHand := command.Table()
	for _, cmd := range h.Commands() {
		texts := rowsOfVerb(cmd, byHand)
		if len(texts) == 0 {
			t.Errorf("%s has no row in this test", cmd.Verb)
		}
		for _, text := range texts {
			if cmd.Object == command.TrailPart {
				h = newHidden(t) // its trail contains nothing typed by quinn
			}
			for _, place := range places {
				h.tryText(t, cmd, text, place)
			}
		}
	}
	for verb := range rows {
		if _, known := h.Named(verb); !known {
			t.Errorf("the row %q belongs to no verb", verb)
		}
	}
}

func (h *hidden) tryText(t *testing.T, cmd command.Command, text, place string) {
	t.Helper()
	for _, id := range []string{h.open, h.ended} {
		for _, who := range []string{"UQUINN", "UOLGA"} {
			if who == "UOLGA" && cmd.Class.Changing() && cmd.Object != command.RunNamed {
				continue // the command requests a run in qa; see TestChangesStayInTheirCluster
			}
			say := func(text string) string {
				m := h.message(who, text)
				m.Channel = place
				return h.handleMessage(m).everything()
			}
			theirs := strings.NewReplacer("RUN", id, "WINDOW", h.window).Replace(real.Replace(text))
			answer := say(theirs)
			if leaked := h.leaks(theirs, answer); len(leaked) > 0 {
				t.Errorf("%s says %q in %q and learns %q:\n%.400s", who, theirs, place, leaked, answer)
			}
			if cmd.Object != command.RunNamed && !strings.HasSuffix(text, " id=WINDOW") {
				break
			}
			back := strings.NewReplacer("R-0000", id, "M-AAAAAAAAAAAA", h.window, "zork", "prod")
			if nowhere := say(invented.Replace(text)); back.Replace(nowhere) != answer {
				t.Errorf("%s says %q in %q: an existing name gets\n%s\nand an unknown one\n%s", who, theirs, place, answer, nowhere)
			}
		}
	}
}

// A run of a hidden cluster is refused, recorded and settled like an unknown run.
func TestHiddenRunsAreRefusedAlike(t *testing.T) {
	h := newHidden(t)
	refused := func(id string) audit.Record {
		m := h.message("UQUINN", "show "+id)
		if settled := h.Handle(t.Context(), m, &answers{}); !settled {
			t.Errorf("%s is not settled", id)
		}
		var last audit.Record
		if _, err := h.store.Find(t.Context(), audit.Query{Newest: 1}, func(e audit.Sealed) error { last = e.Record; return nil }); err != nil {
			t.Fatal(err)
		}
		last.At = time.Time{}
		last.Text = strings.ReplaceAll(last.Text, id, "ID")
		return last
	}
	if there, nowhere := refused(h.open), refused("R-0000"); there != nowhere || there.Kind != audit.Refused {
		t.Errorf("recorded %+v, and %+v", there, nowhere)
	}
}

// taps has, for each action of a button or form, the values that the test sends.
var taps = map[string][]string{
	card.TapApprove: {"RUN DIGEST"}, card.TapApproved: {"RUN DIGEST"}, card.TapDeny: {"RUN DIGEST"}, card.TapDenied: {"RUN DIGEST"},
	card.TapCancel: {"RUN DIGEST"}, card.TapDone: {"RUN DIGEST"}, card.TapLooking: {"RUN DIGEST"}, card.TapDetails: {"RUN DIGEST 0", "RUN DIGEST 3"},
	card.TapAsk: {"show RUN", "status HOST", "how is HOST doing?", "db_tdcp on query-1 is slow"},
	card.TapCommand: {"show RUN", "details RUN", "status in CLUSTER", "status HOST", "runs", "locks", "audit RUN",
		`{"v":"show","r":"RUN"}`, `{"v":"status","t":[{"h":["HOST"]}],"c":"CLUSTER"}`},
	card.TapNoted: {"CLUSTER-1"},
	card.TapRun:   {`{"q":{"v":"restart","t":[{"p":"db_dis","h":["HOST"]}],"c":"CLUSTER"},"by":"T1/UOLGA","at":1}`},
}

// TestTapsOfOneCluster is TestReaderOfOneCluster for buttons and forms.
func TestTapsOfOneCluster(t *testing.T) {
	h := newHidden(t)
	for _, action := range tapActions(t) {
		if len(taps[action]) == 0 {
			t.Errorf("the action %q has no row in this test", action)
		}
		for _, value := range taps[action] {
			for _, via := range []call.Via{call.Button, call.Form} {
				for _, place := range places {
					h.tryTap(t, action, value, via, place)
				}
			}
		}
	}
}

func (h *hidden) tryTap(t *testing.T, action, value string, via call.Via, place string) {
	t.Helper()
	st, err := h.store.Get(t.Context(), h.open)
	if err != nil {
		t.Fatal(err)
	}
	tap := func(value string) string {
		m := h.message("UOLGA", "")
		m.Via, m.Channel = via, place
		m.Tap = call.Tap{Action: action, Value: value, Fields: map[string]string{"text": "db_dis", card.FieldMessage: value}}
		if action == card.TapAsk && via == call.Form {
			m.Tap.Fields["text"] = value
		}
		return h.handleMessage(m).everything()
	}
	theirs := strings.NewReplacer("RUN", h.open, "DIGEST", st.Run.Plan.Digest).Replace(real.Replace(value))
	answer := tap(theirs)
	if leaked := h.leaks(theirs, answer); len(leaked) > 0 {
		t.Errorf("%s %s %q in %q gives %q:\n%s", via, action, theirs, place, leaked, answer)
	}
	if !strings.Contains(value, "RUN") {
		return
	}
	nowhere := tap(strings.NewReplacer("RUN", "R-0000", "DIGEST", st.Run.Plan.Digest).Replace(value))
	if strings.ReplaceAll(nowhere, "R-0000", h.open) != answer {
		t.Errorf("%s %s %q: an existing name gets\n%s\nand an unknown one\n%s", via, action, theirs, answer, nowhere)
	}
	if now, err := h.store.Get(t.Context(), h.open); err != nil || now.Rev != st.Rev {
		t.Errorf("%s %s changed the run: %v", via, action, err)
	}
}

// tapActions returns the actions of all cards.
func tapActions(t *testing.T) []string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "internal", "card", "tap.go"))
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]bool{}
	for _, m := range regexp.MustCompile(`(?m)^\tTap\w+\s*= "(\w+)"`).FindAllStringSubmatch(string(text), -1) {
		found[m[1]] = true
	}
	if len(found) < 10 {
		t.Fatalf("found only %d actions", len(found))
	}
	return slices.Sorted(maps.Keys(found))
}

// TestHomeAndCompletionOfOneCluster is TestReaderOfOneCluster for the Home tab and shell
// completion.
func TestHomeAndCompletionOfOneCluster(t *testing.T) {
	h := newHidden(t)
	var shown strings.Builder
	publish := func(_ context.Context, cards []card.Card) error {
		for _, c := range cards {
			shown.WriteString(card.PlainText(c))
		}
		return nil
	}
	if err := NewHomes(h.Service).Show(t.Context(), auth.Account{Team: homeTeam, User: "UQUINN"}, 0, publish); err != nil {
		t.Fatal(err)
	}
	if leaked := h.leaks("", shown.String()); len(leaked) > 0 || !strings.Contains(shown.String(), h.own) {
		t.Errorf("the page shows %q:\n%s", leaked, shown.String())
	}
	quinn := h.Rules.People[slices.IndexFunc(h.Rules.People, func(p auth.Person) bool { return p.Name == "quinn" })]
	g, err := h.GrammarOf(quinn, "")
	if err != nil {
		t.Fatal(err)
	}
	for _, cmd := range append(g.Commands(), command.Command{}) {
		for _, before := range [][]string{{}, {cmd.Verb}, {cmd.Verb, "db_dis"}, {cmd.Verb, "db_dis", "on"}, {cmd.Verb, "db_dis", "in"}} {
			if leaked := h.leaks("", fmt.Sprint(complete.Next(g, before))); len(leaked) > 0 {
				t.Errorf("after %q: %q", before, leaked)
			}
		}
	}
}

// A reader of prod gets results for the same texts, so the tests above would detect a
// leak.
func TestReadersSeeTheirOwn(t *testing.T) {
	h := newHidden(t)
	for text, want := range map[string]string{
		"show " + h.open: "quicksilver", "details " + h.open: "infra-1", "runs": h.open, "locks": "prod/process/db_dis", "maintenance": "quicksilver",
		"watch": "db_tdcp", "audit " + h.open: "quicksilver", "timeline": "quicksilver", "status infra-1": "infra-1", "audit rita": "operators of prod",
	} {
		if got := h.say("URITA", text).everything(); !strings.Contains(got, want) {
			t.Errorf("%s: %q is not in\n%s", text, want, got)
		}
	}
	for text, want := range map[string]string{"runs": h.own, "show " + h.own: "qa-1", "timeline": "ours"} {
		if got := h.say("UQUINN", text).everything(); !strings.Contains(got, want) {
			t.Errorf("%s by quinn: %q is not in\n%s", text, want, got)
		}
	}
}

// TestChangesStayInTheirCluster: a change that names a host or cluster that its author may
// not read makes no run. If the name were ignored, the change would run in the author's own
// cluster.
func TestChangesStayInTheirCluster(t *testing.T) {
	for _, text := range []string{
		"restart client_update_service in prod", "restart client_update_service on infra-1", "restart client_update_service on query-1 in prod stuck",
	} {
		h := newHidden(t)
		before := len(h.openRuns(t))
		for _, place := range places {
			m := h.message("UOLGA", text)
			m.Channel = place
			h.handleMessage(m)
		}
		if n := len(h.openRuns(t)); n != before {
			t.Errorf("%q made %d runs", text, n-before)
		}
	}
	h := newHidden(t)
	before := len(h.openRuns(t))
	m := h.message("UOLGA", "restart client_update_service") // names refer to prod in C1
	if a := h.handleMessage(m); a.code() != auth.LacksRole || len(h.openRuns(t)) != before {
		t.Errorf("in the channel of prod: %q", a.all())
	}
	m.Channel = "CQ"
	if a := h.handleMessage(m); len(h.openRuns(t)) != before+1 {
		t.Errorf("in the channel of qa: %q", a.all())
	}
}

// The cluster of a run is unknown, and the run hidden, if a newer version of the bot stored the
// run.
func TestNewerRunsAreHidden(t *testing.T) {
	h := newHidden(t)
	h.Runs = newer{h.Runs}
	if a := h.say("UQUINN", "show R-7F3K"); !strings.Contains(a.all(), "no run R-7F3K") {
		t.Errorf("a reader of one cluster: %q", a.all())
	}
	if a := h.say("UANNA", "show R-7F3K"); !strings.Contains(a.all(), "newer version") {
		t.Errorf("a reader of all: %q", a.all())
	}
}

type newer struct{ engine.Runs }

func (newer) Get(context.Context, string) (engine.Stored, error) {
	return engine.Stored{}, engine.ErrNewerForm
}
