package demo

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"text/template"
	"time"

	"dhbot/internal/app"
	"dhbot/internal/audit"
	"dhbot/internal/config"
	"dhbot/internal/engine"
	"dhbot/internal/fleet"
	"dhbot/internal/local/adminsock"
	"dhbot/internal/monitor"
	"dhbot/internal/sim/hostsim"
	"dhbot/internal/sim/slacklocal"
)

// Options configure a demo.
type Options struct {
	Generation  string // a catalog's name
	SlackListen string // "" picks a free port
	// Pace scales the durations on the simulated hosts. 1 is the speed of real hosts, and 0 means
	// 1. If it is below 1, the bot also polls more often.
	Pace float64
	// Runbooks is the absolute path of a directory with site-specific runbooks. "" means none.
	Runbooks string
	// Keys are the public keys of people by name, as in a config. They allow these people to use
	// the terminal.
	Keys map[string]string
	// Watch enables background monitoring. Incidents are then posted in the incident channel.
	Watch bool
	// Escalation is the text of the key escalation in the cluster's config; "" means none.
	Escalation string
	// Grid makes the local Slack's workspace part of an Enterprise Grid.
	Grid bool
	// Others are more people in the incident channel. They are not in the config.
	Others []slacklocal.Person
	// Real replaces the simulated hosts.
	Real *Real
	// Metrics is the loopback address where the bot serves its metrics. "" means no metrics.
	Metrics string
	// Wrap changes the bot's edges before the bot runs. It may be nil.
	Wrap func(*app.Edges)
	Log  *slog.Logger
	// Now is the clock of the bot and of the simulated hosts; nil means the system clock.
	Now func() time.Time
}

// Real is a cluster of real hosts, such as a lab.
type Real struct {
	Cluster             fleet.Cluster
	KeyFile, KnownHosts string
}

// Demo is a running bot with its surroundings.
type Demo struct {
	Slack *slacklocal.Server
	Hosts *hostsim.Cluster // nil if the hosts are real
	real  Real
	dir   string
}

// Run starts a local Slack, simulated hosts unless o.Real is set, and the same bot as `bot run`. It
// calls f once the bot is connected to Slack, and stops everything when f returns or ctx ends.
// Except for real hosts, all addresses are on loopback, and all files are in one temporary
// directory.
func Run(ctx context.Context, o Options, f func(context.Context, *Demo) error) (err error) {
	dir, err := os.MkdirTemp("", "dhbot-demo-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	d := &Demo{dir: dir}
	if o.Real != nil {
		d.real = *o.Real
	} else {
		c := hostsim.Config{Generation: o.Generation, Dir: filepath.Join(dir, "ssh"), Pace: o.Pace, Now: o.Now}
		if d.Hosts, err = hostsim.Start(c); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, d.Hosts.Close()) }()
		d.real = Real{
			Cluster: Fleet(o.Generation, d.Hosts.Address).Clusters[0],
			KeyFile: d.Hosts.KeyFile(), KnownHosts: d.Hosts.KnownHosts(),
		}
	}
	ws := slacklocal.DemoWorkspace()
	if o.Grid {
		ws = slacklocal.DemoGrid()
	}
	for _, p := range o.Others {
		ws.People = append(ws.People, p)
		for i := range ws.Channels {
			if c := &ws.Channels[i]; c.ID == slacklocal.DemoIncident {
				c.Members = append(c.Members, p.ID)
			}
		}
	}
	if d.Slack, err = slacklocal.Start(slacklocal.Config{Listen: o.SlackListen, Workspace: ws}); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.Slack.Close()) }()
	return d.withBot(ctx, o, f)
}

func (d *Demo) withBot(ctx context.Context, o Options, f func(context.Context, *Demo) error) error {
	cfg, err := d.config(o)
	if err != nil {
		return err
	}
	for name, w := range cfg.Watches {
		w.Every, w.Quiet = o.quicker(w.Every), o.quicker(w.Quiet)
		cfg.Watches[name] = w
	}
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	ended := make(chan error, 1)
	go func() {
		err := app.Start(ctx, cfg, cfg.Catalogs, app.Options{
			SlackAPI: d.Slack.APIURL(), Temporary: true, Wrap: o.Wrap, Log: o.Log, Now: o.Now, Times: o.times(),
		})
		if err != nil {
			stop(fmt.Errorf("the bot ended: %w", err))
		}
		ended <- err
	}()
	err = d.awaitConnected(ctx)
	if err == nil {
		err = f(ctx, d)
	}
	if cause := context.Cause(ctx); err != nil && cause != nil {
		err = cause
	}
	stop(nil)
	return errors.Join(err, <-ended)
}

// quicker shortens an interval of the bot if the simulated hosts are faster than real hosts.
func (o Options) quicker(d time.Duration) time.Duration {
	if o.Pace <= 0 || o.Pace >= 1 {
		return d
	}
	return max(time.Duration(float64(d)*o.Pace), 100*time.Millisecond)
}

// times returns the bot's intervals, which are shorter if the simulated hosts are faster than
// real hosts.
func (o Options) times() app.Times {
	return app.Times{
		Engine: engine.Times{AskEvery: o.quicker(2 * time.Second)},
		Monitor: monitor.Times{
			EveryProcess: o.quicker(10 * time.Second), EveryMore: o.quicker(20 * time.Second),
			Soon: o.quicker(5 * time.Second), Relist: o.quicker(2 * time.Second),
		},
		Escalation: o.quicker(5 * time.Second),
		Absences:   20 * time.Second, // a busy machine is slow
	}
}

// awaitConnected waits until the bot's sockets are open.
func (d *Demo) awaitConnected(ctx context.Context) error {
	ctx, cancel := context.WithTimeoutCause(ctx, 30*time.Second, errors.New("the bot did not connect to the local Slack within 30 s"))
	defer cancel()
	if until(ctx, func() (bool, error) { return d.Slack.Connections() > 0, nil }) != nil {
		return context.Cause(ctx)
	}
	return nil
}

// Stage returns the stage on which to play a script.
func (d *Demo) Stage() Stage {
	stage := Stage{Slack: d.Slack.URL(), Verify: d.Verify}
	if d.Hosts != nil {
		stage.Host = d.fault
	}
	return stage
}

// fault injects a fault into a process on a simulated host. The process "-" means the host
// itself.
func (d *Demo) fault(host, process, fault string, args ...string) error {
	if process == "-" {
		process = ""
	}
	return d.Hosts.Fault(host, process, fault, args...)
}

// Verify checks the audit trail of the running bot, as `bot audit verify` does. It waits for the
// first entry, because records are sealed shortly after their events.
func (d *Demo) Verify(ctx context.Context) (text string, err error) {
	wait, cancel := context.WithTimeout(ctx, DefaultExpect)
	defer cancel()
	late := until(wait, func() (bool, error) {
		text, err = d.verify(ctx)
		return !errors.Is(err, errEmptyTrail), nil
	})
	return text, cmp.Or(err, late)
}

var errEmptyTrail = errors.New("the trail is empty")

func (d *Demo) verify(ctx context.Context) (string, error) {
	var b bytes.Buffer
	if err := adminsock.NewClient(d.stateDir()).Get(ctx, "/trail", nil, &b); err != nil {
		return "", err
	}
	header, trail, err := audit.ReadExport(&b)
	if err != nil {
		return "", err
	}
	report, err := audit.Verify(trail, audit.Options{After: header.After})
	if err != nil {
		return "", err
	}
	if report.Entries == 0 {
		return "", errEmptyTrail
	}
	return fmt.Sprintf("the trail is whole: %d entries of %d runs", report.Entries, report.Runs), nil
}

// ConfigFile returns the path of the bot's config file.
func (d *Demo) ConfigFile() string { return filepath.Join(d.dir, "config.yaml") }

func (d *Demo) stateDir() string { return filepath.Join(d.dir, "state") }

// configText is the demo's config file. It is read in the same way as by `bot run`.
var configText = template.Must(template.New("config").Parse(`slack:
  home: {{.Home}}
  audit_channel: {{.Audit}}
  channels: {{"{"}}{{.Incident}}: {{.Cluster}}, {{.Shared}}: {{.Cluster}}{{"}"}}
state: {dir: {{.Dir}}}
ssh: {user: {{.Login}}, key_file: {{.KeyFile}}, known_hosts: {{.KnownHosts}}}
people:
  operator: {slack: [{{.Operator}}]{{with .Keys.operator}}, keys: ["{{.}}"]{{end}}}
  approver: {slack: [{{.Approver}}]{{with .Keys.approver}}, keys: ["{{.}}"]{{end}}}
  approver2: {slack: [{{.Approver2}}]{{with .Keys.approver2}}, keys: ["{{.}}"]{{end}}}
  reader: {slack: [{{.Reader}}]{{with .Keys.reader}}, keys: ["{{.}}"]{{end}}}
clusters:
  {{.Cluster}}:
    catalog: {{.Catalog}}
    acls: {{.ACLs}}
{{- with .Watch}}
    watch: {channel: {{.}}, every: 5s, quiet: 10s}
{{- end}}
{{- with .Escalation}}
    escalation: {{.}}
{{- end}}
    roles: {readers: [reader], operators: [operator, approver], approvers: [approver, approver2], data: [approver]}
    hosts:
{{- range .Hosts}}
      {{.Name}}: {address: "{{.Address}}", processes: [{{.Processes}}]{{with .Reload}}, client_update_reload: "{{.}}"{{end}}{{with .ThreadDump}}, thread_dump: {{.}}{{end}}}
{{- end}}
{{- with .Runbooks}}
runbooks: {{.}}
{{- end}}
{{- with .Metrics}}
metrics: {listen: "{{.}}"}
{{- end}}
`))

type configHost struct{ Name, Address, Processes, Reload, ThreadDump string }

// config writes the demo's config file, reads it, and returns the result.
func (d *Demo) config(o Options) (*config.Config, error) {
	cl := d.real.Cluster
	var hosts []configHost
	for _, h := range cl.Hosts {
		hosts = append(hosts, configHost{h.Name, h.Address, strings.Join(h.Processes, ", "), h.ClientUpdateReload, h.ThreadDump})
	}
	watch := ""
	if o.Watch {
		watch = slacklocal.DemoIncident
	}
	home := slacklocal.DemoTeam
	if o.Grid {
		home = slacklocal.DemoOrganisation
	}
	var b bytes.Buffer
	err := configText.Execute(&b, map[string]any{
		"Home": home, "Audit": slacklocal.DemoAudit, "Incident": slacklocal.DemoIncident, "Shared": slacklocal.DemoShared,
		"Operator": slacklocal.DemoOperator, "Approver": slacklocal.DemoApprover,
		"Approver2": slacklocal.DemoApprover2, "Reader": slacklocal.DemoReader,
		"Dir": d.stateDir(), "Login": cl.Hosts[0].Login, "KeyFile": d.real.KeyFile, "KnownHosts": d.real.KnownHosts,
		"Cluster": cl.Name, "Catalog": cl.Catalog, "ACLs": cl.ACLs, "Hosts": hosts, "Runbooks": o.Runbooks, "Keys": o.Keys, "Watch": watch, "Metrics": o.Metrics,
		"Escalation": o.Escalation,
	})
	if err != nil {
		return nil, err
	}
	file := d.ConfigFile()
	if err := os.WriteFile(file, b.Bytes(), 0o600); err != nil {
		return nil, err
	}
	env := map[string]string{"SLACK_APP_TOKEN": d.Slack.AppToken(), "SLACK_BOT_TOKEN": d.Slack.BotToken()}
	cfg, problems := config.Load(file, func(name string) string { return env[name] })
	if problems.Fatal() {
		return nil, fmt.Errorf("the demo's own config has problems: %w", problems)
	}
	return cfg, nil
}
