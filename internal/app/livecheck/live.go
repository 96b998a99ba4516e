package livecheck

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"dhbot/internal/app"
	"dhbot/internal/config"
	"dhbot/internal/fleet"
	"dhbot/internal/observe"
	"dhbot/internal/redact"
	"dhbot/internal/remote"
	"dhbot/internal/sshexec"
	"dhbot/internal/store/etcdstore"
	"dhbot/runbooks"
	"dhbot/runbooks/catalogs"
)

// Found is one line of `bot check --live`.
type Found struct {
	OK    bool
	About string // "slack", "store", or "prod/infra-1"
	Text  string
}

// liveTimeout is the time limit for one command of a live check.
const liveTimeout = 20 * time.Second

// CheckLive connects to Slack, every host and the store. It reports for each host which
// configured processes its supervisor knows, and which lines its sudoers file lacks for the
// catalog's commands. It only reads. Lines are in the order of the config.
func CheckLive(ctx context.Context, cfg *config.Config, catalogs catalogs.Set, o app.Options) []Found {
	var out []Found
	out = append(out, checkSlack(ctx, cfg, o)...)
	out = append(out, checkStore(ctx, cfg, o))
	out = append(out, CheckPagers(ctx, cfg)...)
	pool, err := sshexec.New(app.PoolConfig(cfg, o.Log))
	if err != nil {
		return append(out, Found{About: "ssh", Text: err.Error()})
	}
	defer pool.Close()
	for _, e := range pool.Expiring(time.Now()) {
		out = append(out, Found{OK: !e.Urgent, About: "ssh", Text: e.Text})
	}
	return append(out, checkHosts(ctx, cfg, catalogs, pool)...)
}

func checkStore(ctx context.Context, cfg *config.Config, o app.Options) Found {
	if cfg.State.Etcd == nil {
		return Found{OK: true, About: "store", Text: "embedded in " + cfg.State.Dir}
	}
	ctx, cancel := context.WithTimeout(ctx, liveTimeout)
	defer cancel()
	c := app.StoreConfig(cfg, app.ReplicaName(cfg), o.Log)
	c.KeyFile, c.Guest = "", true // a check changes nothing
	store, err := etcdstore.Open(ctx, c)
	if err != nil {
		return Found{About: "store", Text: err.Error()}
	}
	defer func() { _ = store.Close() }()
	if holds, err := store.HoldsDeephaven(ctx); err != nil || holds {
		if err != nil {
			return Found{About: "store", Text: err.Error()}
		}
		return Found{About: "store", Text: "this etcd holds Deephaven's own keys (/main/…): the bot must have a cluster of its own"}
	}
	return Found{OK: true, About: "store", Text: "answers at " + strings.Join(cfg.State.Etcd.Endpoints, ", ")}
}

func checkHosts(ctx context.Context, cfg *config.Config, catalogs catalogs.Set, pool *sshexec.Pool) []Found {
	var wg sync.WaitGroup
	var results [][]Found
	for i := range cfg.Fleet.Clusters {
		cl := &cfg.Fleet.Clusters[i]
		cat, ok := catalogs.Get(cl.Catalog)
		if !ok {
			continue // reported by config.Load
		}
		for j := range cl.Hosts {
			n := len(results)
			results = append(results, nil)
			wg.Go(func() { results[n] = checkHost(ctx, pool, cat, cl, &cl.Hosts[j]) })
		}
		wg.Wait()
	}
	return slices.Concat(results...)
}

func checkHost(ctx context.Context, pool *sshexec.Pool, cat *catalogs.Catalog, cl *fleet.Cluster, h *fleet.Host) []Found {
	about := cl.Name + "/" + h.Name
	if r := pool.Dial(ctx, remote.Command{Host: h.Name, Address: h.Address, Login: h.Login, Via: h.Via}); r.Outcome != remote.Answered {
		return []Found{{About: about, Text: r.Outcome.String() + ": " + r.Detail}}
	}
	shell, usable := checkShell(ctx, pool, h, about)
	if !usable {
		return shell // no other check would get an answer
	}
	var monit, systemd []catalogs.Process
	for _, id := range h.Processes {
		p, ok := cat.Process(id)
		switch {
		case !ok:
		case p.Manager == runbooks.Monit:
			monit = append(monit, *p)
		default:
			systemd = append(systemd, *p)
		}
	}
	out := append([]Found{{OK: true, About: about, Text: "logged in as " + h.Login}}, shell...)
	if len(monit) > 0 {
		out = append(out, checkMonit(ctx, pool, cat, h, about, monit)...)
	}
	for _, p := range systemd {
		out = append(out, checkUnit(ctx, pool, h, about, p))
	}
	return append(out, checkSudo(ctx, pool, cat, cl, h, about)...)
}

// noiseRunes is the maximum number of characters shown of a login shell's output.
const noiseRunes = 120

// checkShell runs `true`, which prints nothing, so all output comes from the login shell. A shell
// that is not POSIX is a problem, because the bot refuses to send it commands. A shell that
// prints gets a hint, because the printed text comes before every answer.
func checkShell(ctx context.Context, on remote.Runner, h *fleet.Host, about string) (found []Found, usable bool) {
	r := ask(ctx, on, h, []string{"true"})
	if !r.OK() {
		return []Found{{About: about, Text: problemOf(r)}}, false
	}
	noise := redact.Line(strings.TrimSpace(r.Noise+r.Stdout.String()+" "+r.Stderr.String()), noiseRunes)
	if noise == "" {
		return nil, true
	}
	return []Found{{OK: true, About: about, Text: fmt.Sprintf(
		"the login shell of %s prints text before every answer (%s): make its start-up files print to terminals only, "+
			"for example with [ -t 1 ] || return at the top of ~/.bashrc", h.Login, noise)}}, true
}

// checkMonit compares the config with monit's summary.
func checkMonit(
	ctx context.Context, pool *sshexec.Pool, cat *catalogs.Catalog, h *fleet.Host, about string, want []catalogs.Process,
) []Found {
	argv := h.Monit
	if len(argv) == 0 {
		argv = cat.Monit
	}
	r := ask(ctx, pool, h, append(slices.Clone(argv), "summary"))
	if !r.OK() {
		return []Found{{About: about, Text: "monit summary: " + problemOf(r)}}
	}
	known := map[string]bool{}
	for _, row := range observe.ParseSummary(r.Stdout.String()) {
		if row.Type == "Process" {
			known[row.Name] = true
		}
	}
	var out []Found
	var there []string
	for _, p := range want {
		if known[p.Service] {
			there = append(there, p.ID)
		} else {
			out = append(out, Found{About: about, Text: fmt.Sprintf("%s is configured here, but monit does not know a service %q", p.ID, p.Service)})
		}
		delete(known, p.Service)
	}
	for name := range known {
		out = append(out, Found{OK: true, About: about, Text: fmt.Sprintf("monit also monitors %s, which is not in the config", name)})
	}
	slices.SortFunc(out, func(a, b Found) int { return strings.Compare(a.Text, b.Text) })
	return append([]Found{{OK: true, About: about, Text: fmt.Sprintf("monit knows %d of %d: %s", len(there), len(want), strings.Join(there, ", "))}}, out...)
}

func checkUnit(ctx context.Context, pool *sshexec.Pool, h *fleet.Host, about string, p catalogs.Process) Found {
	r := ask(ctx, pool, h, []string{"systemctl", "show", "-p", "LoadState", "-p", "ActiveState", p.Service})
	if !r.OK() {
		return Found{About: about, Text: fmt.Sprintf("systemctl show %s: %s", p.Service, problemOf(r))}
	}
	out := r.Stdout.String()
	if !strings.Contains(out, "LoadState=loaded") {
		return Found{About: about, Text: fmt.Sprintf("%s is configured here, but systemd does not know a unit %q", p.ID, p.Service)}
	}
	return Found{OK: true, About: about, Text: "systemd knows " + p.Service}
}

func ask(ctx context.Context, on remote.Runner, h *fleet.Host, argv []string) remote.Result {
	sent, err := runbooks.Wrap(h, argv, liveTimeout)
	if err != nil {
		return remote.Result{Outcome: remote.NoOutcome, Detail: err.Error()}
	}
	return on.Run(ctx, remote.Command{Host: h.Name, Address: h.Address, Login: h.Login, Via: h.Via, Sent: sent, Timeout: liveTimeout})
}

// problemOf describes the result of a failed command.
func problemOf(r remote.Result) string {
	if r.Outcome == remote.Answered {
		return fmt.Sprintf("exit code %d: %s", r.Exit, strings.TrimSpace(r.Stderr.String()+" "+r.Stdout.String()))
	}
	return r.Outcome.String() + ": " + r.Detail
}

// CheckPagers checks that each pager can be reached. It sends no alert.
func CheckPagers(ctx context.Context, cfg *config.Config) []Found {
	ctx, cancel := context.WithTimeout(ctx, liveTimeout)
	defer cancel()
	var out []Found
	for _, name := range slices.Sorted(maps.Keys(cfg.Escalations)) {
		page := cfg.Escalations[name].Page
		if page == nil {
			continue
		}
		about := name + "/escalation"
		to, err := app.PagerOf(page)
		if err == nil {
			err = to.Check(ctx)
		}
		if err != nil {
			out = append(out, Found{About: about, Text: fmt.Sprintf("%s cannot be reached: %v: correct page.url or page.ca, or allow the connection", page.Name(), err)})
			continue
		}
		out = append(out, Found{OK: true, About: about, Text: page.Name() + " can be reached; only the first alert shows whether it accepts the routing key"})
	}
	return out
}
