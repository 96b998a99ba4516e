package command

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"dhbot/internal/command/words"
	"dhbot/internal/fleet"
)

// Fields is the form in which a button stores a Request. It has exact names and values, so Build
// needs to parse no text.
type Fields struct {
	Verb    string        `json:"v"`
	Targets []FieldTarget `json:"t,omitempty"`
	Cluster string        `json:"c,omitempty"`
	Run     string        `json:"r,omitempty"`
	// Incident is Request.Incident.
	Incident string            `json:"i,omitempty"`
	Topic    string            `json:"s,omitempty"`
	Params   map[string]string `json:"p,omitempty"`
	Reason   string            `json:"w,omitempty"`
	// Unmarked is Request.Unmarked.
	Unmarked bool `json:"u,omitempty"`
	Plan     bool `json:"n,omitempty"`
	Again    bool `json:"a,omitempty"`
	Anyway   bool `json:"y,omitempty"`
}

// FieldTarget names a process and its hosts. If the process is empty, the target is the hosts.
type FieldTarget struct {
	Process string   `json:"p,omitempty"`
	Hosts   []string `json:"h,omitempty"`
}

// ErrFields reports a button value that Build cannot use.
var ErrFields = errors.New("this button is from another version of the bot")

// On returns the Fields of a verb for a process and a host. Either of them may be "".
func On(verb, process, host, cluster string) Fields {
	f := Fields{Verb: verb, Cluster: cluster}
	if process != "" || host != "" {
		t := FieldTarget{Process: process}
		if host != "" {
			t.Hosts = []string{host}
		}
		f.Targets = []FieldTarget{t}
	}
	return f
}

// Encode returns the stored form.
func (f Fields) Encode() string {
	out, err := json.Marshal(f)
	if err != nil {
		return "" // strings and maps of strings always encode
	}
	return string(out)
}

// Decode reads the stored form.
func Decode(value string) (Fields, error) {
	var f Fields
	d := json.NewDecoder(strings.NewReader(value))
	d.DisallowUnknownFields()
	if err := d.Decode(&f); err != nil {
		return Fields{}, fmt.Errorf("%w: %w", ErrFields, err)
	}
	return f, nil
}

// Text returns the command as a user would type it.
func (f Fields) Text() string {
	w := []string{f.Verb}
	if f.Plan {
		w = []string{"plan", f.Verb}
	}
	if f.Run != "" {
		w = append(w, f.Run)
	}
	if f.Incident != "" {
		w = append(w, f.Incident)
	}
	if f.Topic != "" {
		w = append(w, f.Topic)
	}
	w = append(w, targetsText(f.Targets)...)
	if f.Cluster != "" {
		w = append(w, "in", f.Cluster)
	}
	if length := f.Params[ParamLength]; length != "" {
		w = append(w, length)
	}
	for _, k := range slices.Sorted(maps.Keys(f.Params)) {
		v := f.Params[k]
		if k == ParamLength {
			continue
		}
		if strings.Contains(v, " ") {
			v = `"` + v + `"`
		}
		w = append(w, k+"="+v)
	}
	if f.Again {
		w = append(w, "again=yes")
	}
	if f.Anyway {
		w = append(w, "anyway=yes")
	}
	return strings.Join(w, " ")
}

func targetsText(targets []FieldTarget) []string {
	var processes []string
	for _, t := range targets {
		if t.Process != "" {
			processes = append(processes, t.Process)
		}
	}
	var w []string
	if len(processes) > 0 {
		w = append(w, strings.Join(processes, ", "))
	}
	if len(targets) > 0 && len(targets[0].Hosts) > 0 {
		w = append(w, "on", words.And(targets[0].Hosts))
	}
	return w
}

// Fields returns the form of the request that a button stores. It includes the reason.
func (r *Request) Fields() Fields {
	f := Fields{
		Verb: r.Command.Verb, Run: r.Run, Incident: r.Incident, Topic: r.Topic, Params: maps.Clone(r.Params),
		Reason: r.Reason, Unmarked: r.Unmarked, Plan: r.Plan, Again: r.Again, Anyway: r.Anyway,
	}
	if len(f.Params) == 0 {
		f.Params = nil
	}
	if r.Cluster != nil && r.Command.Object.InCluster() {
		f.Cluster = r.Cluster.Name
	}
	for _, p := range r.Parts() {
		t := FieldTarget{Hosts: hostNames(p.Hosts)}
		if p.Process != nil && r.Command.Object != ProcessImplied {
			t.Process = p.Process.ID
		}
		if t.Process != "" || len(t.Hosts) > 0 {
			f.Targets = append(f.Targets, t)
		}
	}
	return f
}

// Build makes the Request that a button stores. Every name must be spelled exactly as in the
// command table, the catalog or the fleet.
func (g *Grammar) Build(f Fields) (*Request, error) {
	cmd, ok := g.Named(f.Verb)
	if !ok || cmd.Verb != f.Verb {
		return nil, fmt.Errorf("%w: there is no command %q", ErrFields, f.Verb)
	}
	r := &Request{
		Command: cmd, Run: f.Run, Incident: f.Incident, Topic: f.Topic, Params: map[string]string{}, Reason: f.Reason, Unmarked: f.Unmarked,
		Confirm: len(f.Targets) > 1 || len(f.Targets) == 1 && len(f.Targets[0].Hosts) > 1,
		Plan:    f.Plan, Again: f.Again, Anyway: f.Anyway,
	}
	maps.Copy(r.Params, f.Params)
	if err := g.buildCluster(r, f); err != nil {
		return nil, err
	}
	if cmd.ByItself && len(f.Targets) == 0 && f.Run == "" && f.Reason == "" && len(f.Params) == 0 {
		r.Command = cmd.WithoutObject()
		return r, nil
	}
	for i, t := range f.Targets {
		part, err := g.buildPart(r, t)
		if err != nil {
			return nil, err
		}
		if i == 0 {
			r.Process, r.Hosts = part.Process, part.Hosts
			continue
		}
		r.Also = append(r.Also, part)
	}
	if cmd.Object == ProcessImplied {
		r.Process, ok = r.Catalog.Process(cmd.Process)
		if !ok {
			return nil, fmt.Errorf("%w: the catalog has no %s", ErrFields, cmd.Process)
		}
	}
	return r, g.complete(r)
}

func (g *Grammar) buildCluster(r *Request, f Fields) error {
	if f.Cluster == "" {
		if r.Command.Object.InCluster() {
			return fmt.Errorf("%w: no cluster is named", ErrFields)
		}
		return g.Bind(r, &g.Fleet.Clusters[0])
	}
	cl, ok := g.Fleet.Cluster(f.Cluster)
	if !ok {
		return fmt.Errorf("%w: there is no cluster %q", ErrFields, f.Cluster)
	}
	return g.Bind(r, cl)
}

func (g *Grammar) buildPart(r *Request, t FieldTarget) (Part, error) {
	var p Part
	if t.Process != "" {
		process, ok := r.Catalog.Process(t.Process)
		if !ok || len(r.Cluster.HostsOf(t.Process)) == 0 {
			return p, fmt.Errorf("%w: %s has no %q", ErrFields, r.Cluster.Name, t.Process)
		}
		p.Process = process
	}
	for _, name := range t.Hosts {
		h, ok := r.Cluster.Host(name)
		if !ok || t.Process != "" && !h.Runs(t.Process) {
			return p, fmt.Errorf("%w: %s has no host %q for this command", ErrFields, r.Cluster.Name, name)
		}
		p.Hosts = append(p.Hosts, h)
	}
	return p, nil
}

// complete checks that a request has the object that its verb requires.
func (g *Grammar) complete(r *Request) error {
	missing := false
	switch r.Command.Object {
	case ProcessNamed:
		missing = r.Process == nil
	case HostNamed:
		missing = len(r.Hosts) == 0
	case RunNamed:
		missing = !words.IsRunID(r.Run)
	case Nothing, AnyTarget, Topic, ProcessImplied, ClusterMeant, TrailPart, CommandNamed, IncidentNamed:
	default:
		return fmt.Errorf("command table: %s has no known object", r.Command.Verb)
	}
	if missing {
		return fmt.Errorf("%w: the target of %s is missing", ErrFields, r.Command.Verb)
	}
	return nil
}

// hostNames returns the names of hosts, in order.
func hostNames(hosts []*fleet.Host) []string {
	out := make([]string, len(hosts))
	for i, h := range hosts {
		out[i] = h.Name
	}
	return out
}
