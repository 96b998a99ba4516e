package catalogs

import (
	"slices"
	"strings"

	"dhbot/internal/strictyaml"
	"dhbot/internal/suggest"
	"dhbot/runbooks"
)

// Placement says which kind of host runs a process (server-installation-20200121.md:121-155).
type Placement string

// All placements.
const (
	OnInfra Placement = "infra" // the infra node
	OnQuery Placement = "query" // each query server
	OnEvery Placement = "every" // every node
)

// ACLCondition says for which store of access control lists a process is needed.
type ACLCondition string

// All conditions of a need.
const (
	Always      ACLCondition = ""
	ACLsInEtcd  ACLCondition = "acls in etcd"
	ACLsInMySQL ACLCondition = "acls in mysql"
)

// Process is one service of a Deephaven generation, under a supervisor.
type Process struct {
	ID      string   `json:"id"` // the name in commands and the catalog's key
	Title   string   `json:"title"`
	Aliases []string `json:"aliases,omitempty"`
	// Impact says in one short sentence what stops working if the process is down.
	Impact string `json:"impact"`
	// Level is how severe it is if the process is down.
	Level   runbooks.Severity `json:"level"`
	Manager runbooks.Manager  `json:"manager"`
	Service string            `json:"service"`        // the name of the process in the supervisor
	User    string            `json:"user,omitempty"` // OS user of the process
	// Placement says which kind of host runs the process.
	Placement Placement `json:"placement"`
	// Optional says why many installations lack or disable the process. It is "" if all
	// installations have the process.
	Optional string `json:"optional,omitempty"`
	Needs    []Need `json:"needs,omitempty"`
	Logs     Logs   `json:"logs"`
	// Actions are the names of the actions that the process has, sorted.
	Actions []string `json:"actions"`

	sources map[string]Origin // by a step's source key
	at      strictyaml.Place
	needAt  []strictyaml.Place
}

// Need is a process that another process depends on.
type Need struct {
	Process string `json:"process"`
	// When is the condition under which the process is needed, or "" for always.
	When ACLCondition `json:"when,omitempty"`
	// Source is where this is documented: a file and line in the runbooks, or a public page.
	Source string `json:"source"`
}

// Logs says where the logs of a process are. Dir is relative to the host's log root.
type Logs struct {
	Dir string `json:"dir,omitempty"`
	// App has the possible file names of the application log, in the order to try.
	App []string `json:"app,omitempty"`
	// Stdout is the base name of the logs of standard output, whose names end in a date.
	Stdout string `json:"stdout,omitempty"`
	// Files are the absolute paths of logs outside the log root.
	Files []string `json:"files,omitempty"`
	// Unit is the systemd unit whose journal has the process's log.
	Unit string `json:"unit,omitempty"`
}

// Catalog has every process and procedure of one Deephaven generation. It is read-only after
// loading.
type Catalog struct {
	Name  string
	Title string
	// Monit is the command that calls monit. A host's config may replace it.
	Monit []string
	// LogRoot is the directory that contains the processes' log directories. EtcdClientDir is the
	// directory that contains the configurations of etcd clients. A host's config may replace both.
	LogRoot       string
	EtcdClientDir string
	// Paths has further directories, by the NAME in {path.NAME}.
	Paths map[string]string

	processes []Process
	actions   []*Action
	sources   map[string]Origin // sources of commands for processes without sources of their own
	names     map[string]string // folded id or alias → id
	at        strictyaml.Place
}

// Set has all loaded catalogs, sorted by name.
type Set []*Catalog

// Get returns the catalog with this exact name.
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

// Processes returns the processes in the order of the file. The caller may change the slice, but
// not what its elements point to.
func (c *Catalog) Processes() []Process { return slices.Clone(c.processes) }

// Process returns the process with this exact id. Find also accepts other spellings.
func (c *Catalog) Process(id string) (*Process, bool) {
	for i := range c.processes {
		if c.processes[i].ID == id {
			return &c.processes[i], true
		}
	}
	return nil, false
}

// Actions returns all actions of the catalog, in the order in which the files define them.
func (c *Catalog) Actions() []*Action { return slices.Clone(c.actions) }

// Action returns the action with this name for a process. If process is "", the action is about a
// host or the cluster. An action for the process takes precedence over an action for its manager.
// The error is an *UnknownError or a *NotOfferedError.
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

// find returns the most specific action that has this name and suits the process, or nil.
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

// AppLogs returns the possible paths of the process's application log, in the order to try. The
// argument root is the log root. A process without an application log has none.
func (p *Process) AppLogs(root string) []string {
	var out []string
	for _, name := range p.Logs.App {
		out = append(out, strings.TrimSuffix(root, "/")+"/"+p.Logs.Dir+"/"+name)
	}
	return out
}

// Slices returns the arguments with which find selects the files of the application log. These are
// the current file, NAME.log.current, and the 15-minute slices before it, such as
// NAME.log.2026-02-09-140000.000-0500. The newest slice is a hard link to the current file, so only
// slices with one link are selected (deephaven.io sys-admin/ops-guide/logs/app-log-files).
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
