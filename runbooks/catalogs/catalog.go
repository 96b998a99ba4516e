package catalogs

import (
	"slices"
	"strings"

	"dhbot/internal/strictyaml"
	"dhbot/internal/suggest"
	"dhbot/runbooks"
)

// Placement is the kind of host that runs a process
// (server-installation-20200121.md:121-155).
type Placement string

// All placements.
const (
	OnInfra Placement = "infra" // the infra node
	OnQuery Placement = "query" // each query server
	OnEvery Placement = "every" // every node
)

// ACLCondition limits a need by the store of the access control lists.
type ACLCondition string

// All conditions of a need.
const (
	Always      ACLCondition = ""
	ACLsInEtcd  ACLCondition = "acls in etcd"
	ACLsInMySQL ACLCondition = "acls in mysql"
)

// Process is one supervised service of a generation.
type Process struct {
	ID      string   `json:"id"` // the name in commands and the catalog's key
	Title   string   `json:"title"`
	Aliases []string `json:"aliases,omitempty"`
	// Impact describes the impact of an outage of the process in one short sentence.
	Impact string `json:"impact"`
	// Level is the level of an outage of the process.
	Level   runbooks.Severity `json:"level"`
	Manager runbooks.Manager  `json:"manager"`
	Service string            `json:"service"`        // the name of the process in the supervisor
	User    string            `json:"user,omitempty"` // OS user of the process
	// Placement is the kind of host that runs the process.
	Placement Placement `json:"placement"`
	// Optional is the reason why many installations lack or disable the process; "" if all
	// have it.
	Optional string `json:"optional,omitempty"`
	Needs    []Need `json:"needs,omitempty"`
	Logs     Logs   `json:"logs"`
	// Actions are the names of the actions of the process, sorted.
	Actions []string `json:"actions"`

	sources map[string]Origin // by a step's source key
	at      strictyaml.Place
	needAt  []strictyaml.Place
}

// Need is a process that another process depends on.
type Need struct {
	Process string `json:"process"`
	// When is the condition under which the process is needed; "" means always.
	When ACLCondition `json:"when,omitempty"`
	// Source is the file and line in the runbooks, or a public page.
	Source string `json:"source"`
}

// Logs are the logs of a process, relative to the host's log root.
type Logs struct {
	Dir string `json:"dir,omitempty"`
	// App are the names of the application log, in the order to try.
	App []string `json:"app,omitempty"`
	// Stdout is the base name of the dated stdout logs.
	Stdout string `json:"stdout,omitempty"`
	// Files are absolute paths, for logs outside the log root.
	Files []string `json:"files,omitempty"`
	// Unit is the systemd unit with the journal.
	Unit string `json:"unit,omitempty"`
}

// Catalog is every process and procedure of one generation. It is read-only once loaded.
type Catalog struct {
	Name  string
	Title string
	// Monit is the command that calls monit; a host may override it.
	Monit []string
	// LogRoot is the directory above the processes' log directories. EtcdClientDir is the
	// directory above the etcd client configurations. A host may override both.
	LogRoot       string
	EtcdClientDir string
	// Paths are further directories by name, for {path.NAME}.
	Paths map[string]string

	processes []Process
	actions   []*Action
	sources   map[string]Origin // sources of commands for processes without sources of their own
	names     map[string]string // folded id or alias → id
	at        strictyaml.Place
}

// Set is the loaded catalogs, sorted by name.
type Set []*Catalog

// Get returns the catalog with exactly that name.
func (cs Set) Get(name string) (*Catalog, bool) {
	for _, c := range cs {
		if c.Name == name {
			return c, true
		}
	}
	return nil, false
}

// Names returns the names of the catalogs, sorted.
func (cs Set) Names() []string {
	names := make([]string, len(cs))
	for i, c := range cs {
		names[i] = c.Name
	}
	slices.Sort(names)
	return names
}

// Processes returns the processes in the order of the file. The caller owns the slice but
// must not change the data that its elements point to.
func (c *Catalog) Processes() []Process { return slices.Clone(c.processes) }

// Process returns the process with exactly that id. Find accepts other spellings.
func (c *Catalog) Process(id string) (*Process, bool) {
	for i := range c.processes {
		if c.processes[i].ID == id {
			return &c.processes[i], true
		}
	}
	return nil, false
}

// Actions returns the actions of the catalog, process actions first, each in the order of
// the files.
func (c *Catalog) Actions() []*Action { return slices.Clone(c.actions) }

// Action returns the action of that name for a process, or for a host or the cluster if
// process is "". An action for the process takes precedence over one for its manager. The
// error is an *UnknownError or a *NotOfferedError.
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

// AppLogs returns the full paths of a process's application log below a log root, in the
// order to try; none for a process without an application log.
func (p *Process) AppLogs(root string) []string {
	var out []string
	for _, name := range p.Logs.App {
		out = append(out, strings.TrimSuffix(root, "/")+"/"+p.Logs.Dir+"/"+name)
	}
	return out
}

// Slices returns the test by which find selects the files of the application log: the
// current file, NAME.log.current, and the 15-minute slices before it,
// NAME.log.2026-02-09-140000.000-0500. The newest slice is a hard link to the current
// file, so only slices with one link are selected (deephaven.io
// sys-admin/ops-guide/logs/app-log-files).
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
