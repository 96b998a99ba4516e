package hostsim

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
)

const etcdVersion = "3.4.23"

// etcdctl implements etcdctl.sh, a wrapper that runs etcdctl with the configuration of an etcd
// client (etcd-runbook.md, "etcdctl.sh"). Commands that change etcd are not simulated.
func (c *call) etcdctl(args []string) answer {
	client := "root"
	if v := c.env["DH_ETCD_USER"]; v != "" {
		client = v
	}
	dir := "/etc/sysconfig/deephaven/etcd/client/" + client
	if v := c.env["DH_ETCD_DIR"]; v != "" {
		dir, client = v, v[strings.LastIndexByte(v, '/')+1:]
	}
	if c.user != "root" && c.user != "irisadmin" || !c.hasEtcdClient(client) {
		return answer{err: "etcdctl.sh: cannot read " + dir + "/endpoints\n", exit: 1}
	}
	format, endpoints, words, wrong := etcdFlags(args)
	if wrong != "" {
		return answer{err: wrong + "\n", exit: 128}
	}
	command := strings.Join(words, " ")
	if command == "endpoint health" {
		return c.endpointHealth(format)
	}
	if len(words) == 3 && words[0] == "snapshot" {
		return c.snapshot(words, endpoints, format)
	}
	if len(words) == 3 && words[0] == "get" && words[1] == "--prefix" && c.world.quorum() {
		return c.get(words[2], slices.Contains(args, "--keys-only"), client)
	}
	if !slices.Contains([]string{"endpoint status", "role list", "member list", "alarm list"}, command) {
		return notSimulated("etcdctl.sh " + command)
	}
	if !c.world.quorum() {
		return answer{err: c.etcdWarning(clientTarget(c.world.anyMember()), "context deadline exceeded") +
			"Error: context deadline exceeded\n", exit: 2, takes: c.took.etcdDead}
	}
	c.world.elect()
	switch command {
	case "endpoint status":
		return c.endpointStatus(format)
	case "member list":
		return c.memberList(format)
	case "role list":
		return c.roleList(format)
	default: // alarm list: no alarm is raised
		if format != "json" {
			return answer{}
		}
		h := c.world.header(c.world.etcd.leader)
		h.Revision = 0
		return answer{out: jsonLine(struct {
			Header etcdHeader `json:"header"`
		}{h})}
	}
}

// hasEtcdClient reports whether the host has the configuration of an etcd client. Query nodes have
// only the read-only client.
func (c *call) hasEtcdClient(client string) bool {
	switch client {
	case "schema-ro":
		return true
	case "root", "schema-rw", "pq-rw":
		return c.host.process("configuration_server") != nil
	default:
		return false
	}
}

// etcdFlags separates the flags of etcdctl from the words of the command. The flag --prefix stays
// among the words. wrong is the error for a flag that is unknown or lacks its argument, or for an
// output format that is not simulated, or "".
func etcdFlags(args []string) (format, endpoints string, words []string, wrong string) {
	format = "simple"
	for i := 0; i < len(args); i++ {
		name, value, joined := strings.Cut(args[i], "=")
		switch {
		case !strings.HasPrefix(args[i], "-") || name == "--prefix":
			words = append(words, args[i])
			continue
		case name == "--cluster" || name == "--keys-only":
			continue
		case name != "-w" && name != "--write-out" && name != "--endpoints" && name != "--command-timeout" && name != "--dial-timeout":
			return "", "", nil, "Error: unknown flag: " + name
		}
		if !joined {
			if i++; i >= len(args) {
				return "", "", nil, "Error: flag needs an argument: " + name
			}
			value = args[i]
		}
		switch name {
		case "-w", "--write-out":
			format = value
		case "--endpoints":
			endpoints = value
		}
	}
	if !slices.Contains([]string{"simple", "json", "table"}, format) {
		return "", "", nil, "hostsim: etcdctl's output format " + format + " is not simulated"
	}
	return format, endpoints, words, ""
}

// etcdWarning returns the JSON line that etcdctl 3.4 prints on stderr when a request to a member
// fails.
func (c *call) etcdWarning(target, reason string) string {
	return fmt.Sprintf(`{"level":"warn","ts":"%s","caller":"clientv3/retry_interceptor.go:62","msg":"retrying of unary invoker failed","target":"%s","attempt":0,"error":"rpc error: code = DeadlineExceeded desc = %s"}`+"\n",
		c.world.now.UTC().Format("2006-01-02T15:04:05.000Z"), target, reason)
}

// clientTarget returns a member's address as etcdctl's warnings print it, together with an id of
// the client.
func clientTarget(address string) string {
	id := idOf(address)
	return fmt.Sprintf("endpoint://client-%08x-%04x-4%03x-8%03x-%012x/%s", id>>32, id>>16&0xffff, id>>4&0xfff, id&0xfff, id&(1<<48-1), address)
}

// The types below have the structure of etcdctl's JSON. Their fields are in etcdctl's order.
type etcdHeader struct {
	Cluster  uint64 `json:"cluster_id"`
	Member   uint64 `json:"member_id"`
	Revision uint64 `json:"revision,omitempty"`
	Term     uint64 `json:"raft_term"`
}

type etcdStatus struct {
	Header  etcdHeader `json:"header"`
	Version string     `json:"version"`
	Size    int        `json:"dbSize"`
	Leader  uint64     `json:"leader"`
	Index   uint64     `json:"raftIndex"`
	Term    uint64     `json:"raftTerm"`
	Applied uint64     `json:"raftAppliedIndex"`
	InUse   int        `json:"dbSizeInUse"`
}

type etcdEndpointStatus struct {
	Endpoint string
	Status   etcdStatus
}

func (w *world) header(member string) etcdHeader {
	return etcdHeader{Cluster: idOf("dh-cluster"), Member: idOf(member), Revision: 5, Term: w.etcd.term}
}

// endpointStatus implements `endpoint status`. If a member does not answer, it has no row. The
// command is then slow, exits with 1, and reports the member on stderr.
func (c *call) endpointStatus(format string) answer {
	var a answer
	var rows []etcdEndpointStatus
	e := &c.world.etcd
	for _, m := range c.world.members() {
		if m.unit.state != unitRunning {
			a.exit, a.takes = 1, c.took.etcdMissing
			a.err += c.etcdWarning("passthrough:///"+m.endpoint(), `latest balancer error: connection error: desc = \"transport: Error while dialing dial tcp `+m.ip+`:2379: connect: connection refused\"`)
			a.err += fmt.Sprintf("Failed to get the status of endpoint %s (context deadline exceeded)\n", m.endpoint())
			continue
		}
		e.index++
		rows = append(rows, etcdEndpointStatus{m.endpoint(), etcdStatus{
			Header: c.world.header(m.name), Version: etcdVersion, Size: 24576, Leader: idOf(e.leader),
			Index: e.index, Term: e.term, Applied: e.index, InUse: 16384,
		}})
	}
	switch format {
	case "json":
		a.out = jsonLine(rows)
	case "table":
		a.out = statusTable(rows)
	default:
		for _, r := range rows {
			a.out += strings.Join(statusCells(r)[:9], ", ") + ", \n"
		}
	}
	return a
}

func statusCells(r etcdEndpointStatus) []string {
	s := r.Status
	return []string{
		r.Endpoint, fmt.Sprintf("%x", s.Header.Member), s.Version, fmt.Sprintf("%.0f kB", float64(s.Size)/1000),
		fmt.Sprint(s.Leader == s.Header.Member), "false", fmt.Sprint(s.Term), fmt.Sprint(s.Index), fmt.Sprint(s.Applied), "",
	}
}

func statusTable(rows []etcdEndpointStatus) string {
	cells := [][]string{{"ENDPOINT", "ID", "VERSION", "DB SIZE", "IS LEADER", "IS LEARNER", "RAFT TERM", "RAFT INDEX", "RAFT APPLIED INDEX", "ERRORS"}}
	for _, r := range rows {
		cells = append(cells, statusCells(r))
	}
	return asciiTable(cells)
}

type etcdHealth struct {
	Endpoint string `json:"endpoint"`
	Health   bool   `json:"health"`
	Took     string `json:"took"`
	Error    string `json:"error,omitempty"`
}

// endpointHealth implements `endpoint health`. Every member must commit a value, which fails
// without quorum. The default output goes to stderr.
func (c *call) endpointHealth(format string) answer {
	var a answer
	var rows []etcdHealth
	quorum := c.world.quorum()
	for i, m := range c.world.members() {
		row := etcdHealth{Endpoint: m.endpoint(), Health: true, Took: (3649826*time.Nanosecond + time.Duration(i)*733*time.Microsecond).String()}
		if !quorum || m.unit.state != unitRunning {
			row = etcdHealth{Endpoint: m.endpoint(), Error: "context deadline exceeded"}
			a.exit, a.takes = 1, c.took.etcdDead
			reason := "latest balancer error: all SubConns are in TransientFailure"
			if m.votes() {
				reason = "context deadline exceeded" // the member answers but cannot commit
			}
			a.err += c.etcdWarning(clientTarget(m.ip+":2379"), reason)
		}
		rows = append(rows, row)
	}
	switch format {
	case "json":
		a.out = jsonLine(rows)
	case "table":
		cells := [][]string{{"ENDPOINT", "HEALTH", "TOOK", "ERROR"}}
		for _, r := range rows {
			cells = append(cells, []string{r.Endpoint, fmt.Sprint(r.Health), r.Took, r.Error})
		}
		a.out = asciiTable(cells)
	default:
		for _, r := range rows {
			if r.Health {
				a.err += fmt.Sprintf("%s is healthy: successfully committed proposal: took = %s\n", r.Endpoint, r.Took)
			} else {
				a.err += fmt.Sprintf("%s is unhealthy: failed to commit proposal: %s\n", r.Endpoint, r.Error)
			}
		}
	}
	if a.exit != 0 {
		a.err += "Error: unhealthy cluster\n"
	}
	return a
}

type etcdMemberRow struct {
	ID      uint64   `json:"ID"`
	Name    string   `json:"name"`
	Peers   []string `json:"peerURLs"`
	Clients []string `json:"clientURLs"`
}

// memberList implements `member list`. Like etcdctl, it prints "started" even for members that do
// not run.
func (c *call) memberList(format string) answer {
	all := c.world.members()
	slices.SortFunc(all, func(a, b etcdMember) int {
		if a.id < b.id {
			return -1
		}
		return 1
	})
	rows := []etcdMemberRow{}
	cells := [][]string{{"ID", "STATUS", "NAME", "PEER ADDRS", "CLIENT ADDRS", "IS LEARNER"}}
	var lines strings.Builder
	for _, m := range all {
		peer := "https://" + m.ip + ":2380"
		rows = append(rows, etcdMemberRow{m.id, m.name, []string{peer}, []string{m.endpoint()}})
		row := []string{fmt.Sprintf("%x", m.id), "started", m.name, peer, m.endpoint(), "false"}
		cells = append(cells, row)
		lines.WriteString(strings.Join(row, ", ") + "\n")
	}
	switch format {
	case "json":
		h := c.world.header(c.world.etcd.leader)
		h.Revision = 0
		return answer{out: jsonLine(struct {
			Header  etcdHeader      `json:"header"`
			Members []etcdMemberRow `json:"members"`
		}{h, rows})}
	case "table":
		return answer{out: asciiTable(cells)}
	default:
		return answer{out: lines.String()}
	}
}

func (c *call) roleList(format string) answer {
	roles := []string{"pq-rw", "root", "schema-ro", "schema-rw"}
	if format == "json" {
		return answer{out: jsonLine(struct {
			Header etcdHeader `json:"header"`
			Roles  []string   `json:"roles"`
		}{c.world.header(c.world.etcd.leader), roles})}
	}
	return answer{out: strings.Join(roles, "\n") + "\n"}
}

func jsonLine(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprintf("hostsim: %v\n", err)
	}
	return string(b) + "\n"
}

// asciiTable draws a table like etcdctl, with centred headings and right-aligned cells.
func asciiTable(rows [][]string) string {
	widths := make([]int, len(rows[0]))
	for _, r := range rows {
		for i, cell := range r {
			widths[i] = max(widths[i], len(cell))
		}
	}
	rule := "+"
	for _, w := range widths {
		rule += strings.Repeat("-", w+2) + "+"
	}
	var b strings.Builder
	b.WriteString(rule + "\n")
	for n, r := range rows {
		for i, cell := range r {
			left := widths[i] - len(cell)
			if n == 0 {
				left /= 2
			}
			fmt.Fprintf(&b, "| %s%s%s ", strings.Repeat(" ", left), cell, strings.Repeat(" ", widths[i]-len(cell)-left))
		}
		b.WriteString("|\n")
		if n == 0 {
			b.WriteString(rule + "\n")
		}
	}
	if len(rows) > 1 {
		b.WriteString(rule + "\n")
	}
	return b.String()
}
