package config

import (
	"fmt"
	"net/netip"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/prometheus/alertmanager/timeinterval"

	"dhbot/auth"
	"dhbot/internal/fleet"
	"dhbot/internal/strictyaml"
	"dhbot/runbooks"
	"dhbot/runbooks/catalogs"
)

var (
	dnsName   = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$`)
	loginName = regexp.MustCompile(`^[a-z_][a-z0-9_.-]{0,31}$`)
	// argument is one word of monit's command line, without characters that a shell interprets.
	argument     = regexp.MustCompile(`^[A-Za-z0-9_./=:@%+,-]+$`)
	fileSizeForm = regexp.MustCompile(`^(\d{1,6}) ?(MiB|GiB)$`)
	// webWord matches a web address without a password or a query.
	webWord = regexp.MustCompile(`^https?://[A-Za-z0-9.\[\]:_-]+(/[A-Za-z0-9_.~%+,/-]*)?$`)
)

func (b *builder) readClusters(v strictyaml.Value) {
	addresses := map[string]string{}
	for _, p := range v.Pairs() {
		if !plainName.MatchString(p.Name) {
			p.Value.Problem(fmt.Sprintf("%q is not a valid cluster name", p.Name), plainNameIs)
		}
		b.readCluster(p.Name, p.Value, addresses)
	}
}

func (b *builder) readCluster(name string, v strictyaml.Value, addresses map[string]string) {
	o := v.Object(keysOf[clusterKeys]()...)
	cluster := fleet.Cluster{Name: name, ACLs: fleet.ACLsInEtcd}
	names := b.catalogs.Names()
	generation := o.Need("catalog", strings.TrimSuffix("name the Deephaven generation: "+strings.Join(names, ", "), ": "))
	cluster.Catalog = generation.Text()
	catalog, ok := b.catalogs.Get(cluster.Catalog)
	if !ok && cluster.Catalog != "" && b.catalogs != nil {
		generation.Problem(fmt.Sprintf("there is no catalog %q", cluster.Catalog), strictyaml.Meant(cluster.Catalog, names, "the catalogs are "))
	}
	if acls := o.Get("acls"); acls.There() {
		cluster.ACLs = fleet.ACLStore(acls.Text())
		if cluster.ACLs != fleet.ACLsInEtcd && cluster.ACLs != fleet.ACLsInMySQL {
			acls.Problem(fmt.Sprintf("%q is not a store of access control lists", acls.Text()), "write etcd or mysql")
		}
	}
	cluster.EtcdQuota = fileSize(o.Get("etcd_quota"))
	hosts := o.NeedSome("hosts", "list the hosts of the cluster, each with {address, processes}")
	for _, p := range hosts.Pairs() {
		if !plainName.MatchString(p.Name) {
			p.Value.Problem(fmt.Sprintf("%q is not a valid host name", p.Name), plainNameIs)
		}
		cluster.Hosts = append(cluster.Hosts, b.readHost(p.Name, p.Value, catalog, addresses))
	}
	b.readSchedule(&cluster, o.Get("schedule"), catalog)
	b.readWatch(name, o.Get("watch"))
	if catalog != nil {
		warnOfAbsent(&cluster, hosts, catalog)
	}
	b.config.Fleet.Clusters = append(b.config.Fleet.Clusters, cluster)
	b.readRoles(name, o.Need("roles", "say who may do what: {readers, operators, approvers, data}"))
	b.readCall(name, o.Get("call"))
	b.readEscalation(name, o.Get("escalation"))
}

func (b *builder) readHost(name string, v strictyaml.Value, catalog *catalogs.Catalog, addresses map[string]string) fleet.Host {
	o := v.Object(keysOf[hostKeys]()...)
	h := fleet.Host{Name: name}
	b.readRoute(&h, o)
	if at := o.Get("address"); h.Address != "" {
		place := h.Address + " " + h.Via
		if owner, taken := addresses[place]; taken {
			at.Problem("this is already the address of "+owner+": two runs could change one machine under two names at the same time", "keep it under one name")
		}
		addresses[place] = name
	}
	for _, p := range o.NeedSome("processes", "list the processes of the host").Texts() {
		if id := p.Text(); knows(p, catalog, id) {
			h.Processes = append(h.Processes, id)
		}
	}
	for _, word := range o.Get("monit").Items() {
		if !argument.MatchString(word.Text()) {
			word.Problem(fmt.Sprintf("%q is not a single word of a command", word.Text()), "write the monit command as a list of words: [sudo, -u, irisadmin, monit]")
		}
		h.Monit = append(h.Monit, word.Text())
	}
	if at := o.Get("sudo_version"); at.There() {
		reads, err := fleet.SudoReadsRegexp(at.Text())
		if err != nil {
			at.Problem(fmt.Sprintf("sudo version %q is not a version", at.Text()), "write the version that sudo --version prints, for example 1.9.13p3")
		}
		h.OldSudo = err == nil && !reads
	}
	h.EtcdClientDir = absolute(o.Get("etcd_client_dir"))
	h.EtcdEndpoint = etcdEndpoint(o.Get("etcd_endpoint"))
	h.LogRoot = absolute(o.Get("log_root"))
	h.ThreadDump = absolute(o.Get("thread_dump"))
	if at := o.Get("client_update_reload"); at.There() {
		h.ClientUpdateReload = webAddress(at)
		if h.ClientUpdateReload != "" && catalog != nil && !h.Runs(reloadedProcess) {
			at.Warning("this address is not used: the host has no "+reloadedProcess, "move the key to the host with that process")
		}
	}
	return h
}

// reloadedProcess is the process that contains the Client Update Service, whose files
// client_update_reload reloads (process-runbooks.md:631).
const reloadedProcess = "web_api_service"

// knows reports whether the catalog has a process, and adds a problem if it does not. If there
// is no catalog, it returns true, because that problem is reported elsewhere.
func knows(v strictyaml.Value, catalog *catalogs.Catalog, id string) bool {
	if catalog == nil {
		return true
	}
	if _, ok := catalog.Process(id); ok {
		return true
	}
	near := catalog.Find(id)
	what := fmt.Sprintf("the catalog %q has no process %q", catalog.Name, id)
	if near.Process != nil {
		v.Problem(what, "write "+near.Process.ID)
		return false
	}
	v.Problem(what, strictyaml.Meant(id, processIDs(catalog), "the processes of this catalog are "))
	return false
}

func processIDs(catalog *catalogs.Catalog) []string {
	var ids []string
	for _, p := range catalog.Processes() {
		ids = append(ids, p.ID)
	}
	return ids
}

// warnOfAbsent warns about processes that every installation has, but that no host in the config
// runs.
func warnOfAbsent(cluster *fleet.Cluster, hosts strictyaml.Value, catalog *catalogs.Catalog) {
	var absent []string
	for _, p := range catalog.Processes() {
		if p.Optional == "" && len(cluster.HostsOf(p.ID)) == 0 {
			absent = append(absent, p.ID)
		}
	}
	if len(absent) > 0 && len(cluster.Hosts) > 0 {
		hosts.Warning("no host runs "+strings.Join(absent, ", "), "add each of these processes to the host that runs it, because otherwise the bot cannot show or restart it")
	}
}

// readSchedule reads when processes should be up. A process without an entry should always be up.
func (b *builder) readSchedule(cluster *fleet.Cluster, v strictyaml.Value, catalog *catalogs.Catalog) {
	cluster.Up = map[string][]timeinterval.TimeInterval{}
	for _, p := range v.Pairs() {
		if knows(p.Value, catalog, p.Name) && len(cluster.HostsOf(p.Name)) == 0 {
			p.Value.Problem("no host of the cluster runs "+p.Name, "add it to a host's processes, or remove it here")
		}
		up := p.Value.Object(keysOf[scheduleKeys]()...).Need("up", "list the windows in which the process should be up; [] means never")
		windows := []timeinterval.TimeInterval{}
		for _, item := range up.Items() {
			if w, ok := interval(item); ok {
				windows = append(windows, w)
			}
		}
		cluster.Up[p.Name] = windows
	}
}

// interval parses one window in Alertmanager's format.
func interval(v strictyaml.Value) (timeinterval.TimeInterval, bool) {
	before := len(v.R.Problems)
	o := v.Object(keysOf[intervalKeys]()...)
	for _, t := range o.Get("times").Items() {
		t.Object(keysOf[timesKeys]()...)
	}
	var w timeinterval.TimeInterval
	if len(v.R.Problems) > before || !v.There() {
		return w, false
	}
	if err := yaml.NodeToValue(v.Node, &w); err != nil {
		v.Problem("this window cannot be read: "+oneLine(err), "write it as Alertmanager's time_intervals, e.g. {weekdays: ['monday:friday'], times: [{start_time: '07:00', end_time: '19:00'}], location: America/New_York}")
		return w, false
	}
	return w, true
}

// oneLine returns the text of a YAML error without the excerpt of the file.
func oneLine(err error) string {
	line, _, _ := strings.Cut(err.Error(), "\n")
	if i := strings.LastIndex(line, "] "); i >= 0 && strings.HasPrefix(line, "[") {
		line = line[i+2:]
	}
	return line
}

// channelReader is the prefix of a channel in a list of readers.
const channelReader = "channel "

func (b *builder) readRoles(cluster string, v strictyaml.Value) {
	lists := []auth.Role{auth.Reader, auth.Operator, auth.Approver, auth.Data}
	o := v.Object(keysOf[rolesKeys]()...)
	roles := auth.Roles{}
	for _, role := range lists {
		for _, item := range o.Get(string(role)).Texts() {
			if b.mayHold(item, role) {
				roles[role] = append(roles[role], item.Text())
			}
		}
	}
	if b.config.Rules.Clusters == nil {
		b.config.Rules.Clusters = map[string]auth.Roles{}
	}
	b.config.Rules.Clusters[cluster] = roles
	if !v.There() {
		return
	}
	b.checkApprovers(cluster, roles, o.Get(string(auth.Approver)))
}

// mayHold reports whether a role's list may contain an entry: a person, or, in the list of
// readers, a channel.
func (b *builder) mayHold(v strictyaml.Value, role auth.Role) bool {
	entry := v.Text()
	if id, ok := strings.CutPrefix(entry, channelReader); ok {
		if role != auth.Reader {
			v.Problem("a channel can only be a reader: anyone could join it", "name people")
			return false
		}
		if !channelID.MatchString(strings.TrimSpace(id)) {
			v.Problem(fmt.Sprintf("%q is not a channel id", id), channelIs)
			return false
		}
		return true
	}
	var names []string
	for _, p := range b.config.Rules.People {
		names = append(names, p.Name)
	}
	if !slices.Contains(names, entry) {
		v.Problem(fmt.Sprintf("there is no person %q", entry), strictyaml.Meant(entry, names, "the people are "))
		return false
	}
	return true
}

// checkApprovers reports each operator whose Sev 1 requests too few people could approve. A
// requester can never vote, even if they are an approver.
func (b *builder) checkApprovers(cluster string, roles auth.Roles, v strictyaml.Value) {
	rules := &b.config.Rules
	need := rules.Policy.VotesNeeded(runbooks.Disruptive, runbooks.Critical)
	var stuck []string
	for _, name := range roles[auth.Operator] {
		if len(rules.Eligible(cluster, name)) < need {
			stuck = append(stuck, name)
		}
	}
	if len(stuck) > 0 {
		v.Problem(fmt.Sprintf("too few people could approve a Sev 1 request of %s (approvers needed besides the requester: %d)", strings.Join(stuck, ", "), need),
			"add people to roles.approvers")
	}
}

// hostPort parses a host name or address with an optional port. The name keeps its case. The
// port is 0 if there is none.
func hostPort(v strictyaml.Value) (host string, port uint16) {
	text := v.Text()
	if text == "" {
		return "", 0
	}
	host, port, err := splitHostPort(text)
	if err != nil {
		v.Problem(strictyaml.Quote(text)+" is not an address", "write host, host:port, 10.0.0.5:22 or [fd00::5]:22")
		return "", 0
	}
	return rawHost(text, host), port
}

// splitHostPort parses a host name or address with an optional port. The result host is in lower
// case. The port is 0 if there is none.
func splitHostPort(text string) (host string, port uint16, err error) {
	if addr, err := netip.ParseAddr(strings.Trim(text, "[]")); err == nil {
		return addr.String(), 0, nil
	}
	if ap, err := netip.ParseAddrPort(text); err == nil && ap.Port() > 0 {
		return ap.Addr().String(), ap.Port(), nil
	}
	host, portText, found := strings.Cut(text, ":")
	n := uint64(0)
	if found {
		n, err = strconv.ParseUint(portText, 10, 16)
	}
	if err != nil || found && n == 0 || !dnsName.MatchString(host) {
		return "", 0, fmt.Errorf("%q is not an address", text)
	}
	return strings.ToLower(host), uint16(n), nil
}

func joinHostPort(host string, port uint16) string {
	if port == 0 {
		port = 22
	}
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	return host + ":" + strconv.Itoa(int(port))
}

// login parses the name of an account on a host.
func login(v strictyaml.Value) string {
	name := v.Text()
	if name != "" && !loginName.MatchString(name) {
		v.Problem(fmt.Sprintf("%q is not a login name", name), "write the account on the host, such as dhops")
	}
	return name
}

// webAddress parses a complete URL. The URL becomes a word of a command that people read and
// approve, so it must not contain a password.
func webAddress(v strictyaml.Value) string {
	text := v.Text()
	if text == "" {
		return ""
	}
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || !webWord.MatchString(text) {
		v.Problem(strictyaml.Quote(text)+" is not a web address", "write the complete address, without a password: https://web-1.example.com:8123/reload/")
		return ""
	}
	return text
}

// fileSize parses a size such as 8GiB, and returns the number of bytes, or 0 if there is no
// value.
func fileSize(v strictyaml.Value) int64 {
	if !v.There() {
		return 0
	}
	if m := fileSizeForm.FindStringSubmatch(v.Text()); m != nil {
		if n, err := strconv.ParseInt(m[1], 10, 64); err == nil && n > 0 {
			return n << map[string]uint{"MiB": 20, "GiB": 30}[m[2]]
		}
	}
	v.Problem(fmt.Sprintf("%q is not a file size", v.Text()), "write it in MiB or GiB, for example 8GiB")
	return 0
}

var etcdAddress = regexp.MustCompile(`^https://([A-Za-z0-9.-]+|\[[0-9a-fA-F:]+\]):[0-9]{1,5}$`)

// etcdEndpoint parses the address of one member. It accepts only https, because the etcd
// client sends a password to that address.
func etcdEndpoint(v strictyaml.Value) string {
	text := v.Text()
	if text != "" && !etcdAddress.MatchString(text) {
		v.Problem(strictyaml.Quote(text)+" is not an https address with a port, so etcd's client must not send its password there", "write it as https://infra-1.example.com:2379")
		return ""
	}
	return text
}

// absolute parses the path of a directory on a host.
func absolute(v strictyaml.Value) string {
	dir := v.Text()
	if dir != "" && (!path.IsAbs(dir) || path.Clean(dir) != dir || !argument.MatchString(dir)) {
		v.Problem(fmt.Sprintf("%q is not a plain path", dir), "write an absolute path without .., blanks or a slash at the end")
	}
	return dir
}
