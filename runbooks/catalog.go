// Package runbooks holds what can be done: the catalog of every process and
// procedure of one Deephaven generation, and the planner that resolves an
// action against the fleet into exact commands.
package runbooks

// Manager is what supervises a process.
type Manager string

// The closed set of managers.
const (
	Monit   Manager = "monit"
	Systemd Manager = "systemd"
)

// Process is one supervised service of a generation.
type Process struct {
	ID      string   `json:"id"` // what people type, and the catalog's key
	Title   string   `json:"title"`
	Aliases []string `json:"aliases,omitempty"`
	// Impact says what its outage means, in one sentence for a phone.
	Impact string `json:"impact"`
	// Level is the level of its own outage.
	Level   Severity `json:"level"`
	Manager Manager  `json:"manager"`
	Service string   `json:"service"`        // the supervisor's name of it
	User    string   `json:"user,omitempty"` // the OS user it runs as
	// Placement is where the seeds put it: "infra", "query" or "every".
	Placement string `json:"placement"`
	// Optional processes are absent from many installations.
	Optional string `json:"optional,omitempty"`
	Needs    []Need `json:"needs,omitempty"`
	Logs     Logs   `json:"logs"`
	// Actions are the names of what can be asked of it, sorted.
	Actions []string `json:"actions"`
}

// Need is a process that another one depends on.
type Need struct {
	Process string `json:"process"`
	// When limits the need: "" always, "acls in etcd", "acls in mysql".
	When   string `json:"when,omitempty"`
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
