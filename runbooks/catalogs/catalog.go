package catalogs

import (
	"slices"
	"strings"

	"dhbot/internal/suggest"
	"dhbot/runbooks"
)

// Placement is where the runbooks put a process
// (server-installation-20200121.md:121-155).
type Placement string

// The closed set of placements.
const (
	OnInfra Placement = "infra" // the infra node
	OnQuery Placement = "query" // each query server
	OnEvery Placement = "every" // every node
)

// ACLCondition limits a need by where the access control lists live.
type ACLCondition string

// The closed set of conditions of a need.
const (
	Always      ACLCondition = ""
	ACLsInEtcd  ACLCondition = "acls in etcd"
	ACLsInMySQL ACLCondition = "acls in mysql"
)

// Process is one supervised service of a generation.
type Process struct {
	ID      string   `json:"id"` // what people type, and the catalog's key
	Title   string   `json:"title"`
	Aliases []string `json:"aliases,omitempty"`
	// Impact says what its outage means, in one sentence for a phone.
	Impact string `json:"impact"`
	// Level is the level of its own outage.
	Level   runbooks.Severity `json:"level"`
	Manager runbooks.Manager  `json:"manager"`
	Service string            `json:"service"`        // the supervisor's name of it
	User    string            `json:"user,omitempty"` // the OS user it runs as
	// Placement is where the runbooks put it.
	Placement Placement `json:"placement"`
	// Optional says why the process is absent from, or disabled in, many
	// installations; "" means that it belongs to every one.
	Optional string `json:"optional,omitempty"`
	Needs    []Need `json:"needs,omitempty"`
	Logs     Logs   `json:"logs"`
	// Actions are the names of what can be asked of it, sorted.
	Actions []string `json:"actions"`

	sources map[string]Origin // by a step's source key
	at      pos
	needAt  []pos
}

// Need is a process that another one depends on.
type Need struct {
	Process string `json:"process"`
	// When limits the need; "" means always.
	When ACLCondition `json:"when,omitempty"`
	// Source is the runbook's file and line, or the public page that says so.
	Source string `json:"source"`
}

// Logs are where a process writes, below the host's log root.
type Logs struct {
	Dir string `json:"dir,omitempty"`
	// App are the names of the application log, in the order to try.
	App []string `json:"app,omitempty"`
	// Stdout is the base name of the dated stdout logs.
	Stdout string `json:"stdout,omitempty"`
	// Files are absolute paths, for what does not live below the log root.
	Files []string `json:"files,omitempty"`
	// Unit is the systemd unit whose journal it is.
	Unit string `json:"unit,omitempty"`
}

// Catalog is every process and procedure of one generation. It is not changed
// once loaded.
type Catalog struct {
	Name  string
	Title string
	// Monit is how monit is called where a host does not say otherwise.
	Monit []string
	// LogRoot is the directory above the processes' log directories, and
	// EtcdClientDir the one above the etcd client configurations, where a
	// host does not say otherwise.
	LogRoot       string
	EtcdClientDir string
	// Paths are further directories by name, for {path.NAME}: where files are
	// written or looked for.
	Paths map[string]string

	processes []Process
	actions   []*Action
	sources   map[string]Origin // where a process names none
	names     map[string]string // folded id or alias → id
	at        pos
}

// Set is the loaded catalogs, sorted by name.
type Set []*Catalog

// Get returns the catalog of that exact name.
func (cs Set) Get(name string) (*Catalog, bool) {
	for _, c := range cs {
		if c.Name == name {
			return c, true
		}
	}
	return nil, false
}

// Names are the names of the catalogs, sorted.
func (cs Set) Names() []string {
	names := make([]string, len(cs))
	for i, c := range cs {
		names[i] = c.Name
	}
	slices.Sort(names)
	return names
}

// Processes are the processes in the order of the file. The caller owns the
// slice, and must leave what its elements point to alone.
func (c *Catalog) Processes() []Process { return slices.Clone(c.processes) }

// Process returns the process of that exact id. Find reads spellings.
func (c *Catalog) Process(id string) (*Process, bool) {
	for i := range c.processes {
		if c.processes[i].ID == id {
			return &c.processes[i], true
		}
	}
	return nil, false
}

// Actions are the actions of the catalog, process actions first, each in the
// order of the files.
func (c *Catalog) Actions() []*Action { return slices.Clone(c.actions) }

// Action returns what an action's name means for a process, or for a host or
// the cluster where process is "". An action that names the process wins over
// one that names its manager. The error is an *UnknownError or a
// *NotOfferedError.
func (c *Catalog) Action(name, process string) (*Action, error) {
	var p *Process
	if process != "" {
		var ok bool
		if p, ok = c.Process(process); !ok {
			return nil, c.unknownProcess(process)
		}
	}
	if a := c.find(name, p); a != nil {
		return a, nil
	}
	all := c.actionNames(func(*Action) bool { return true })
	if !slices.Contains(all, name) {
		return nil, &runbooks.UnknownError{What: "action", Name: name, In: "catalog " + c.Name, Suggestions: suggest.Near(name, all)}
	}
	return nil, &runbooks.NotOfferedError{
		Action:  name,
		Process: process,
		Offered: c.actionNames(func(a *Action) bool { return a.suits(p) }),
	}
}

// find returns the most specific action of that name, or nil.
func (c *Catalog) find(name string, p *Process) *Action {
	var best *Action
	for _, a := range c.actions {
		if a.Name == name && a.suits(p) && (best == nil || len(a.Processes) > 0) {
			best = a
		}
	}
	return best
}

func (c *Catalog) actionNames(keep func(*Action) bool) []string {
	var names []string
	for _, a := range c.actions {
		if keep(a) {
			names = append(names, a.Name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

func (c *Catalog) unknownProcess(name string) *runbooks.UnknownError {
	m := c.Find(name)
	if m.Process != nil {
		m.Suggestions = []string{m.Process.ID}
	}
	return &runbooks.UnknownError{What: "process", Name: name, In: "catalog " + c.Name, Suggestions: m.Suggestions}
}

// AppLogs are the full paths of a process's application log below a log root,
// in the order to try; none for a process without one.
func (p *Process) AppLogs(root string) []string {
	var out []string
	for _, name := range p.Logs.App {
		out = append(out, strings.TrimSuffix(root, "/")+"/"+p.Logs.Dir+"/"+name)
	}
	return out
}

// Slices is the test by which find selects the files of the application log:
// what is being written, NAME.log.current, and the slices of a quarter of an
// hour before it, NAME.log.2026-02-09-140000.000-0500. The newest slice is the
// same file as the current one under a second name, so that only files with
// one name count (deephaven.io sys-admin/ops-guide/logs/app-log-files).
func (p *Process) Slices() []string {
	out := []string{"("}
	for i, name := range p.Logs.App {
		if i > 0 {
			out = append(out, "-o")
		}
		base := strings.TrimSuffix(name, ".current")
		out = append(out, "-name", name, "-o", "-name", base+".????-??-??-*", "-links", "1")
	}
	return append(out, ")")
}
