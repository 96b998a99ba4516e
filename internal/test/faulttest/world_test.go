package faulttest

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"text/template"
	"time"

	"dhbot/internal/sim/demo"
	"dhbot/internal/sim/hostsim"
	"dhbot/internal/sim/slacklocal"
	"dhbot/internal/store/etcdstore"
	"dhbot/internal/store/sign"
)

// shape says what kind of world a round is played in.
type shape struct {
	Replicas int
	Members  int // members of etcd; 0 means the embedded store of one replica
}

func (s shape) String() string {
	if s.Members == 0 {
		return "one replica, embedded store"
	}
	return fmt.Sprintf("%d replicas, etcd of %d", s.Replicas, s.Members)
}

// setup configures a world.
type setup struct {
	shape
	// production means that the bot has the times of `bot run`, and the simulated Slack has the limits
	// of the real Slack. There is no gate.
	production bool
	channels   []slacklocal.Channel // channels in addition to those of the demo
	keep       uint64               // number of trail entries that stay in the store; 0 for the default
	// keepClaims is how long the store keeps handled deliveries. It counts only if keep is set.
	keepClaims time.Duration
	startTTL   time.Duration // how long a request may stay in the queue; 0 for startTTL
}

// world is a bot and everything around it: store, hosts and Slack.
type world struct {
	t     testing.TB
	dir   string
	setup setup
	shape shape
	etcd  *etcd // nil if the store is embedded
	slack *slacklocal.Server
	hosts *hostsim.Cluster
	watch *watch

	repairs sync.WaitGroup // faults that end on their own

	mu       sync.Mutex
	over     bool       // no further start
	replicas []*replica // the latest process of each replica
	lives    []*replica // the processes of all replicas, also ended ones
	wrong    []string   // violations found so far
	epochs   int        // number of starts after a restore
}

// replica is one process of the bot. After a restart, a new value describes the new process.
type replica struct {
	seat  int
	name  string
	life  int
	cmd   *exec.Cmd
	ended chan struct{}
	err   error // the error of Wait; valid after ended is closed
}

// newWorld creates the world of a round.
func newWorld(t testing.TB, s shape) *world { return makeWorld(t, setup{shape: s}) }

func makeWorld(t testing.TB, s setup) *world {
	dir, err := os.MkdirTemp("", "dhfault-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	w := &world{t: t, dir: dir, setup: s, shape: s.shape, replicas: make([]*replica, s.Replicas)}
	if s.Members > 0 {
		w.etcd = startEtcd(t, dir, s.Members)
		if _, err := sign.Create(w.file("state.key")); err != nil {
			t.Fatal(err)
		}
	}
	w.hosts, err = hostsim.Start(hostsim.Config{Dir: filepath.Join(dir, "ssh"), Pace: 0.1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.hosts.Close() })
	w.slack, err = slacklocal.Start(s.slack())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.slack.Close() })
	w.watch = newWatch(t, filepath.Join(dir, "gate"))
	t.Cleanup(w.killAll)
	if err := w.configure(configChange{}); err != nil {
		t.Fatal(err)
	}
	for seat := range s.Replicas {
		w.start(seat)
	}
	w.until("all replicas are connected to Slack", 60*time.Second, func() bool { return w.slack.Connections() >= s.Replicas })
	return w
}

// slack returns the config of the simulated Slack.
func (s setup) slack() slacklocal.Config {
	c := slacklocal.Config{Workspace: slacklocal.DemoWorkspace()}
	c.Workspace.Channels = append(c.Workspace.Channels, s.channels...)
	if !s.production {
		c.Unlimited = true
		c.Clocks = slacklocal.Clocks{Retries: []time.Duration{0, time.Second, 3 * time.Second, 10 * time.Second, 20 * time.Second}, Warning: time.Second}
	}
	return c
}

// configChange changes the config between two starts of the bot.
type configChange struct {
	Monit string // the command of monit on infra-1, for example "[sudo, monit]"
}

var configText = template.Must(template.New("config").Parse(`slack:
  home_teams: [{{.Team}}]
  audit_channel: {{.Audit}}
  channels: {{"{"}}{{range .Channels}}{{.}}: prod, {{end}}{{.Incident}}: prod{{"}"}}
state: {{.State}}
ssh: {user: dhops, key_file: {{.KeyFile}}, known_hosts: {{.KnownHosts}}}
people:
  operator: {slack: [{{.Team}}/{{.Operator}}]}
  approver: {slack: [{{.Team}}/{{.Approver}}]}
  approver2: {slack: [{{.Team}}/{{.Approver2}}]}
  reader: {slack: [{{.Team}}/{{.Reader}}]}
clusters:
  prod:
    catalog: current
    roles: {readers: [reader], operators: [operator, approver], approvers: [approver, approver2], data: [approver]}
    hosts:
{{- range .Hosts}}
      {{.Name}}: {address: "{{.Address}}"{{with .Monit}}, monit: {{.}}{{end}}, processes: [{{.Processes}}]}
{{- end}}
`))

// configure writes the config file that all later starts use.
func (w *world) configure(change configChange) error {
	type host struct{ Name, Address, Processes, Monit string }
	var hosts []host
	for _, h := range demo.Fleet(hostsim.Current, w.hosts.Address).Clusters[0].Hosts {
		next := host{Name: h.Name, Address: h.Address, Processes: strings.Join(h.Processes, ", ")}
		if h.Name == "infra-1" {
			next.Monit = change.Monit
		}
		hosts = append(hosts, next)
	}
	state := fmt.Sprintf("{dir: %s}", w.stateDir(0))
	if w.etcd != nil {
		state = fmt.Sprintf("{etcd: {endpoints: [%s]}, key_file: %s%s}", `"`+strings.Join(w.etcd.endpoints(), `", "`)+`"`, w.file("state.key"), w.archive())
	}
	var channels []string
	for _, ch := range w.setup.channels {
		channels = append(channels, ch.ID)
	}
	var b bytes.Buffer
	err := configText.Execute(&b, map[string]any{
		"Team": slacklocal.DemoTeam, "Audit": slacklocal.DemoAudit, "Incident": slacklocal.DemoIncident,
		"Operator": slacklocal.DemoOperator, "Approver": slacklocal.DemoApprover, "Approver2": slacklocal.DemoApprover2, "Reader": slacklocal.DemoReader,
		"State": state, "Channels": channels, "KeyFile": w.hosts.KeyFile(), "KnownHosts": w.hosts.KnownHosts(), "Hosts": hosts,
	})
	if err != nil {
		return err
	}
	return os.WriteFile(w.file("config.yaml"), b.Bytes(), 0o600)
}

// archive returns the archive's part of the config, for replicas that share a store.
func (w *world) archive() string {
	if !w.setup.production {
		return ""
	}
	return ", archive: " + w.file("archive")
}

func (w *world) file(name string) string    { return filepath.Join(w.dir, name) }
func (w *world) stateDir(seat int) string   { return w.file(fmt.Sprintf("state%d", seat)) }
func (w *world) peekSock(r *replica) string { return w.file("peek-" + r.name) }

// start starts the next process of a replica, if the previous process has ended.
func (w *world) start(seat int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	last := w.replicas[seat]
	if w.over || last != nil && !last.over() {
		return
	}
	r := &replica{seat: seat, name: "bot", life: 1, ended: make(chan struct{})}
	if last != nil {
		r.life = last.life + 1
	}
	if w.etcd != nil {
		r.name = fmt.Sprintf("%c%d", 'a'+seat, r.life) // as in production: every process has its own name
	}
	if err := w.launch(r); err != nil {
		w.t.Errorf("start replica: %v", err)
		return
	}
	w.replicas[seat] = r
}

func (w *world) launch(r *replica) error {
	b, err := json.Marshal(settings{
		Name: r.name, Config: w.file("config.yaml"), SlackAPI: w.slack.APIURL(), AppToken: w.slack.AppToken(), BotToken: w.slack.BotToken(),
		Gate: w.gate(), Peek: w.peekSock(r), KeepTrail: w.setup.keep, KeepClaims: w.setup.keepClaims,
		StartTTL: cmp.Or(w.setup.startTTL, startTTL),
	})
	if err != nil {
		return err
	}
	file := w.file("replica-" + r.name + ".json")
	if err := os.WriteFile(file, b, 0o600); err != nil {
		return err
	}
	out, err := os.OpenFile(w.logOf(r), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer out.Close()
	r.cmd = exec.Command(os.Args[0])
	r.cmd.Env = append(os.Environ(), replicaVar+"="+file)
	r.cmd.Stdout, r.cmd.Stderr = out, out
	r.cmd.SysProcAttr = withParent()
	if err := r.cmd.Start(); err != nil {
		return err
	}
	w.lives = append(w.lives, r)
	go func() { r.err = r.cmd.Wait(); close(r.ended); w.supervise(r) }()
	return nil
}

// gate returns the socket to which replicas report crossings, or "" without a gate.
func (w *world) gate() string {
	if w.setup.production {
		return ""
	}
	return w.file("gate")
}

func (w *world) logOf(r *replica) string { return w.file(fmt.Sprintf("log-%s-%d", r.name, r.life)) }

// logs returns the logs of all processes.
func (w *world) logs() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	var b strings.Builder
	for _, r := range w.lives {
		text, err := os.ReadFile(w.logOf(r))
		if err != nil {
			text = []byte(err.Error())
		}
		fmt.Fprintf(&b, "%s, life %d:\n%s", r.name, r.life, text)
	}
	return b.String()
}

// storeWasDown matches the error of a replica that could not start, because the store did not
// answer.
var storeWasDown = regexp.MustCompile(`(?m)^error: the state store does not answer: (taking a lease|registering this replica)`)

// supervise acts like systemd for a replica that could not start because the store was down: it
// soon restarts the replica. Any other exit with an error is a violation.
func (w *world) supervise(r *replica) {
	if r.err == nil || !r.cmd.ProcessState.Exited() {
		return // stopped or killed on purpose
	}
	text, err := os.ReadFile(w.logOf(r))
	if err != nil || !storeWasDown.Match(text) {
		w.violation("replica %s ended on its own: %v", r.name, r.err)
		return
	}
	time.Sleep(500 * time.Millisecond)
	w.start(r.seat) // unless the round is over
}

func (r *replica) over() bool {
	select {
	case <-r.ended:
		return true
	default:
		return false
	}
}

// byName finds a running replica.
func (w *world) byName(name string) *replica {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, r := range w.replicas {
		if r != nil && r.name == name && !r.over() {
			return r
		}
	}
	return nil
}

// alive lists the running replicas.
func (w *world) alive() []*replica {
	w.mu.Lock()
	defer w.mu.Unlock()
	var out []*replica
	for _, r := range w.replicas {
		if r != nil && !r.over() {
			out = append(out, r)
		}
	}
	return out
}

// killAll ends every process of the world.
func (w *world) killAll() {
	w.finish()
	for _, r := range w.alive() {
		_ = r.cmd.Process.Kill()
		<-r.ended
	}
}

// finish prevents further starts.
func (w *world) finish() {
	w.mu.Lock()
	w.over = true
	w.mu.Unlock()
	w.repairs.Wait()
}

// goOn allows starts again after finish.
func (w *world) goOn() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.over = false
}

// stopAll sends SIGTERM to all replicas, and requires that they exit.
func (w *world) stopAll() {
	w.finish()
	for _, r := range w.alive() {
		_ = r.cmd.Process.Signal(syscall.SIGTERM)
	}
	for _, r := range w.alive() {
		select {
		case <-r.ended:
		case <-time.After(40 * time.Second):
			w.violation("replica %s did not stop within 40 s of SIGTERM", r.name)
			_ = r.cmd.Process.Signal(syscall.SIGQUIT)
			<-r.ended
		}
	}
}

func (w *world) violation(format string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.wrong = append(w.wrong, fmt.Sprintf(format, args...))
}

// until waits until a condition holds. If it does not hold in time, until reports a violation.
func (w *world) until(what string, within time.Duration, ok func() bool) bool {
	for end := time.Now().Add(within); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		if ok() {
			return true
		}
	}
	w.violation("this did not happen within %s: %s", within, what)
	return false
}

// peek returns the state of the store, which it gets from any running replica.
func (w *world) peek() (state, error) {
	err := fmt.Errorf("no replica runs")
	for _, r := range w.alive() {
		var st state
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		st, err = peek[state](ctx, w.peekSock(r), "/state")
		cancel()
		if err == nil {
			return st, nil
		}
	}
	return state{}, err
}

// lastState reads the store after all replicas have ended.
func (w *world) lastState() (state, error) {
	c := etcdstore.Config{Replica: "judge", Log: slog.New(slog.DiscardHandler)}
	switch {
	case w.etcd == nil:
		c.Dir, c.Archive = w.stateDir(0), filepath.Join(w.stateDir(0), "archive")
	case w.setup.production:
		c.Endpoints, c.Archive = w.etcd.endpoints(), w.file("archive")
	default:
		c.Endpoints = w.etcd.endpoints()
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	s, err := etcdstore.Open(ctx, c)
	if err != nil {
		return state{}, err
	}
	defer s.Close()
	return readState(ctx, s)
}
