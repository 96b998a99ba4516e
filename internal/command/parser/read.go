package parser

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"dhbot/internal/command"
	"dhbot/internal/command/words"
	"dhbot/internal/fleet"
	"dhbot/internal/suggest"
	"dhbot/runbooks/catalogs"
)

// looking is the state of reading a command that changes nothing. Names, places and parameters may
// be in any order. The answer lists the words that were not used.
type looking struct {
	*reading
	cmd command.Command

	processes []string
	hosts     []string
	patterns  []string // names with "*" as a wildcard, of hosts or processes
	in        string
	params    map[string]string
	left      []string
	unknown   []words.Token // the words in left that may be a misspelt name
}

// noise lists words of a question that carry no meaning.
var noise = []string{
	"the", "of", "for", "process", "processes", "service", "server", "host", "hosts", "node", "is",
	"are", "me", "my", "and", "with",
	"from", "to", "now", "right", "currently", "everything", "all", "on", "in", "at", "a", "an", "it", "also",
	"cluster", "just", "then", "what", "log", "logs", "lines",
	"how", "doing", "again", "thanks", "thx", "or", "und", "danke", "only",
	"n", "back", "yet", "still", "does", "need", "needs", "depend", "depends",
}

func (r *reading) read(cmd command.Command, w []words.Token) (*command.Request, error) {
	l := &looking{reading: r, cmd: cmd, params: map[string]string{}}
	first := r.words[0].Row
	if len(w) > 0 {
		first = w[0].Row
	}
	for len(w) > 0 {
		if w[0].Row > first {
			if _, ok := r.g.Named(w[0].Key); ok {
				l.left = append(l.left, words.Join(w)) // a second command
				break
			}
		}
		took, err := l.take(w)
		if err != nil {
			return nil, err
		}
		w = w[took:]
	}
	return l.resolve()
}

// take reads the next word or words, and returns how many it read.
func (l *looking) take(w []words.Token) (int, error) {
	t := w[0]
	if took, err := l.takeParam(w); took > 0 || err != nil {
		return took, err
	}
	if l.cmd.Lasts {
		if n := words.LengthAt(w); n > 0 {
			l.params[command.ParamLength] = words.LengthOf(w[:n])
			return n, nil
		}
		if slices.Contains(lengthEnds, t.Key) {
			l.params[command.ParamLength] = command.LengthEnd
			return 1, nil
		}
	}
	if l.takePattern(t) {
		return 1, nil
	}
	if took := l.takeName(w); took > 0 {
		return took, nil
	}
	if n := words.LengthAt(w); n > 0 && l.lacks("since") {
		l.params["since"] = words.LengthOf(w[:n])
		return n, nil
	}
	switch {
	case t.IsMark(), slices.Contains(noise, t.Key), t.IsCourtesy():
	case l.bareLines(t):
		l.params["lines"] = strings.TrimLeft(t.Key, "-")
	case t.IsState():
		if l.cmd.Verb != "status" {
			l.left = append(l.left, t.Raw)
		}
		if t.Key == "sev" && len(w) > 1 && words.IsNumber(w[1].Key) {
			return 2, nil
		}
	default:
		l.left, l.unknown = append(l.left, t.Raw), append(l.unknown, t)
	}
	return 1, nil
}

// bareLines reports whether a bare number is the number of log lines: 20 is in "logs dis 20", but 2
// is not in "logs tailer 2".
func (l *looking) bareLines(t words.Token) bool {
	digits := strings.TrimLeft(t.Key, "-")
	lines := paramNamed(l.options(), "lines")
	if lines == nil || l.params["lines"] != "" || len(digits) < 2 || !words.IsNumber(digits) || len(l.left) > 0 {
		return false
	}
	n, err := strconv.Atoi(digits)
	return err == nil && n <= lines.Max
}

// lacks reports whether the command accepts a parameter that is not set yet.
func (l *looking) lacks(name string) bool {
	return l.params[name] == "" && paramNamed(l.options(), name) != nil
}

// takeName reads a process, host or cluster at the front of the words.
func (l *looking) takeName(w []words.Token) int {
	name := strings.TrimRight(w[0].Raw, words.Punctuation)
	low := strings.ToLower(name)
	low = strings.TrimPrefix(low, "@")
	if _, place, ok := words.PlaceOption(name); ok {
		low = strings.ToLower(place)
	}
	switch {
	case l.g.KnowsCluster(low):
		l.in = low
		return 1
	case l.g.KnowsHost(low):
		l.hosts = append(l.hosts, low)
		return 1
	}
	if host := l.splitHost(w); host != "" {
		l.hosts = append(l.hosts, host)
		return 2
	}
	if s, ok := l.processAt(w); ok {
		l.processes = append(l.processes, s.names...)
		if s.host != "" {
			l.hosts = append(l.hosts, s.host)
		}
		return s.took
	}
	if p, h, found := strings.Cut(low, "@"); found && l.g.KnowsProcess(p) && l.g.KnowsHost(h) {
		l.processes, l.hosts = append(l.processes, p), append(l.hosts, h)
		return 1
	}
	if l.g.KnowsProcess(name) {
		l.processes = append(l.processes, name)
		return 1
	}
	if split, took := l.splitName(w); took > 0 {
		l.processes = append(l.processes, split)
		return took
	}
	return 0
}

// takeParam reads a parameter in one of its forms: `since=1h`, `since 10 min`, `last 20`, `error`.
func (l *looking) takeParam(w []words.Token) (int, error) {
	_, _, isPlace := words.PlaceOption(w[0].Raw)
	if kv := keyValue.FindStringSubmatch(w[0].Raw); kv != nil && !isPlace {
		name := strings.ToLower(kv[1])
		if name == "again" || name == "anyway" {
			return 1, nil
		}
		if paramNamed(l.options(), name) == nil {
			return 0, l.unknownOption(name, kv)
		}
		l.params[name] = kv[2]
		return 1, nil
	}
	key := strings.TrimLeft(w[0].Key, "-")
	p := paramNamed(l.options(), key)
	if p == nil && key == "error" {
		p = paramNamed(l.options(), "errors")
	}
	if p == nil && words.OneOf(key, "last", "tail", "newest") {
		return l.lastLines(w)
	}
	switch {
	case p == nil:
		return 0, nil
	case p.Type == catalogs.ChoiceParam && len(p.Choices) == 1:
		l.params[p.Name] = p.Choices[0]
		return 1, nil
	case p.Type == catalogs.InstantParam && words.LengthAt(w[1:]) > 0:
		n := words.LengthAt(w[1:])
		l.params[p.Name] = words.LengthOf(w[1 : 1+n])
		return 1 + n, nil
	case len(w) > 1:
		l.params[p.Name] = w[1].Raw
		return 2, nil
	default:
		return 0, nil
	}
}

// lastLines reads `last 20`, `last 20 lines` and `last 10 min`.
func (l *looking) lastLines(w []words.Token) (int, error) {
	if since := paramNamed(l.options(), "since"); since != nil && words.LengthAt(w[1:]) > 0 {
		n := words.LengthAt(w[1:])
		l.params[since.Name] = words.LengthOf(w[1 : 1+n])
		return 1 + n, nil
	}
	if lines := paramNamed(l.options(), "lines"); lines != nil && len(w) > 1 && words.IsNumber(strings.TrimLeft(w[1].Key, "-")) {
		l.params[lines.Name] = strings.TrimLeft(w[1].Key, "-")
		return 2, nil
	}
	if since := paramNamed(l.options(), "since"); since != nil && len(w) > 1 && words.UnitOf(w[1].Key) != "" {
		l.params[since.Name] = "1" + words.UnitOf(w[1].Key)
		return 2, nil
	}
	return 0, nil
}

func (l *looking) unknownOption(name string, kv []string) error {
	q := command.Questionf(command.UnknownOption, "`%s` takes no %s.", l.cmd.Verb, words.Shown(kv[1]+"="))
	said := strings.TrimSpace(l.cmd.Verb + " " + strings.Join(l.processes, ", "))
	for _, n := range suggest.Near(name, paramNames(l.options())) {
		l.suggest(q, said+" "+n+"="+kv[2])
	}
	return q
}

// options returns the parameters that the verb's action has for any process. The planner later
// refuses parameters that the named process does not have.
func (l *looking) options() []catalogs.Param {
	if l.cmd.Action == "" {
		return l.cmd.Params
	}
	var out []catalogs.Param
	for i := range l.g.Fleet.Clusters {
		cat, ok := l.g.Catalogs.Get(l.g.Fleet.Clusters[i].Catalog)
		if !ok {
			continue
		}
		for _, a := range cat.Actions() {
			for _, p := range a.Params {
				if a.Name == l.cmd.Action && paramNamed(out, p.Name) == nil {
					out = append(out, p)
				}
			}
		}
	}
	return out
}

// resolve finds the cluster, process and hosts.
func (l *looking) resolve() (*command.Request, error) {
	if err := l.misspelt(); err != nil {
		return nil, err
	}
	if l.cmd.Lasts && len(l.unknown) > 0 {
		q := command.Questionf(command.MissingParam, "%s is not a length of time from 1m to 12h. Type for example `%s`.", words.Shown(words.Join(l.unknown)), l.cmd.Example)
		l.suggest(q, strings.TrimSpace(l.cmd.Verb+" "+strings.Join(append(l.processes, l.hosts...), " ")+l.inText())+" 30m")
		return nil, q
	}
	if l.cmd.Object == command.ProcessImplied {
		l.processes = []string{l.cmd.Process}
	}
	cl, err := l.clusterOf(l.cmd, l.in, l.processes, l.hosts)
	if err != nil {
		return nil, err
	}
	req := &command.Request{Command: l.cmd, Params: l.params, Left: l.left}
	if err := l.g.Bind(req, cl); err != nil {
		return nil, err
	}
	if err := l.place(req, cl); err != nil {
		return nil, err
	}
	switch l.cmd.Object {
	case command.ProcessNamed:
		if req.Process == nil && len(req.Hosts) > 0 {
			q := command.Questionf(command.HostFirst, "%s is a host. Which of its processes?", req.Hosts[0].Name)
			for _, p := range req.Hosts[0].Processes {
				l.suggest(q, fmt.Sprintf("%s %s on %s", l.cmd.Verb, p, req.Hosts[0].Name))
			}
			return nil, q
		}
		if req.Process == nil {
			return nil, l.missing(l.cmd, command.MissingTarget, "Which process?")
		}
	case command.HostNamed:
		if len(req.Hosts) == 0 {
			return nil, l.missing(l.cmd, command.MissingTarget, "Which host?")
		}
	default:
	}
	if err := l.missingParam(req); err != nil {
		return nil, err
	}
	return req, nil
}

// misspelt returns a Question if no target is known and a word may be a misspelt name.
func (l *looking) misspelt() error {
	takesName := l.cmd.Object == command.AnyTarget || l.cmd.Object == command.ProcessNamed || l.cmd.Object == command.HostNamed
	if !takesName || len(l.processes)+len(l.hosts) > 0 || len(l.unknown) == 0 {
		return nil
	}
	typed := strings.TrimRight(l.unknown[0].Raw, words.Punctuation)
	q := command.Questionf(command.UnknownName, "I don't know %s%s.", words.Shown(typed), l.inText())
	names := suggest.Near(strings.ToLower(typed), l.g.HostNames())
	if l.cmd.Object != command.HostNamed {
		names = append(names, l.g.ProcessesLike(typed)...)
	}
	for _, n := range names {
		l.suggest(q, l.cmd.Verb+" "+n+l.inText())
	}
	if len(q.Choices) == 0 && l.cmd.Object == command.AnyTarget {
		l.suggest(q, l.cmd.Verb+l.inText())
	}
	return q
}

func (l *looking) inText() string {
	if l.in == "" {
		return ""
	}
	return " in " + l.in
}

// readsMost is the maximum number of processes in one command that reads from hosts, such as logs.
const readsMost = 4

// takesSeveral reports whether the verb accepts n processes (n > 1). A status accepts any number. A
// verb from the catalog accepts up to readsMost, but only one process if its plan is requested.
func (l *looking) takesSeveral(n int) bool {
	return l.cmd.Verb == "status" || l.cmd.FromCatalog && !l.planned && n <= readsMost
}

// place binds the processes and hosts to the request. Processes and hosts beyond the verb's limit
// go to Request.Left, which the answer lists.
func (l *looking) place(req *command.Request, cl *fleet.Cluster) error {
	for _, pattern := range l.patterns {
		if err := l.expand(pattern, req.Catalog, cl); err != nil {
			return err
		}
	}
	for _, name := range l.hosts {
		h, ok := cl.Host(name)
		if !ok {
			return &command.Question{
				Code: command.NotHere,
				Text: fmt.Sprintf("%s is not a host of %s. Its hosts: %s.", words.Shown(name), cl.Name, words.And(cl.HostNames())),
			}
		}
		switch {
		case slices.Contains(req.Hosts, h):
		case len(req.Hosts) > 0 && l.cmd.Verb != "status" && l.cmd.Action == "":
			req.Left = append(req.Left, "on "+h.Name) // one host at a time
		default:
			req.Hosts = append(req.Hosts, h)
		}
	}
	for _, spelling := range l.processes {
		part, err := l.part(req, spelling)
		if err != nil {
			return err
		}
		switch {
		case req.Process == nil:
			req.Process = part.Process
		case slices.ContainsFunc(req.Parts(), func(p command.Part) bool { return p.Process == part.Process }):
		case l.takesSeveral(len(req.Parts()) + 1):
			req.Also = append(req.Also, part)
		default:
			req.Left = append(req.Left, part.Process.ID)
		}
	}
	return nil
}

func (l *looking) part(req *command.Request, spelling string) (command.Part, error) {
	match := req.Catalog.Find(spelling)
	if match.Process == nil {
		q := command.Questionf(command.UnknownName, "I don't know %s in %s.", words.Shown(spelling), req.Cluster.Name)
		for _, n := range match.Suggestions {
			l.suggest(q, l.cmd.Verb+" "+n)
		}
		return command.Part{}, q
	}
	p := match.Process
	hosts := req.Cluster.HostsOf(p.ID)
	if len(hosts) == 0 {
		return command.Part{}, command.Questionf(command.NotHere, "%s is not configured on any host of %s.", p.ID, req.Cluster.Name)
	}
	for _, h := range req.Hosts {
		if h.Runs(p.ID) {
			continue
		}
		q := command.Questionf(command.NotHere, "%s does not run on %s.", p.ID, h.Name)
		for _, other := range hosts {
			l.suggest(q, fmt.Sprintf("%s %s on %s", l.cmd.Verb, p.ID, other.Name))
		}
		return command.Part{}, q
	}
	return command.Part{Process: p, Hosts: req.Hosts}, nil
}
