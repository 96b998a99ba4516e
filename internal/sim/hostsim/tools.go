package hostsim

import (
	"fmt"
	"net/url"
	"path"
	"slices"
	"strings"
)

// The output of Deephaven's own tools is not documented, so these texts are invented. Tests may
// rely only on exit codes and files.

const export = "<queries>\n  <query serial=\"1\" name=\"ImportHelperQuery\"/>\n  <query serial=\"2\" name=\"WebClientData\"/>\n</queries>\n"

// dhconfig implements `dhconfig pq export|import --file FILE
// [--retainSerial=…]`.
func (c *call) dhconfig(args []string) answer {
	if len(args) < 4 || args[0] != "pq" || args[2] != "--file" {
		return notSimulated("dhconfig " + strings.Join(args, " "))
	}
	return c.queries(args[1], args[3], args[4:])
}

// iris implements the legacy `iris controller_tool --export|--import|--reload`.
func (c *call) iris(args []string) answer {
	const fixed = "/db/TempFiles/irisadmin/controller_tool/controllerToolExport.xml"
	if len(args) < 2 || args[0] != "controller_tool" {
		return notSimulated("iris " + strings.Join(args, " "))
	}
	switch args[1] {
	case "--export", "--import":
		return c.queries(strings.TrimPrefix(args[1], "--"), fixed, args[2:])
	case "--reload":
		return answer{out: "reloaded\n", changes: true}
	default:
		return notSimulated("iris controller_tool " + args[1])
	}
}

func (c *call) queries(verb, name string, more []string) answer {
	for _, m := range more {
		if m != "--retainSerial=keep" && m != "--retainSerial=replace" {
			return answer{err: "unknown option " + m + "\n", exit: 1}
		}
	}
	switch verb {
	case "export":
		if wrong := c.create(name, export); wrong != "" {
			return answer{err: name + ": " + wrong + "\n", exit: 1}
		}
		return answer{out: "2 queries exported\n", changes: true}
	case "import":
		if _, wrong := c.lookUp(name); wrong != "" {
			return answer{err: name + ": " + wrong + "\n", exit: 1}
		}
		return answer{out: "2 queries imported\n", changes: true}
	default:
		return notSimulated("queries " + verb)
	}
}

// backupDeephaven implements backup_deephaven. It writes one file for each requested part.
func (c *call) backupDeephaven(args []string) answer {
	all := []string{"etcd", "ACLs", "persistentQueries", "workspaceData", "schema", "propertyFiles", "routing"}
	dir := "/etc/sysconfig/deephaven/backups/system"
	var parts []string
	for i := 0; i < len(args); i++ {
		flag, long := strings.CutPrefix(args[i], "--")
		switch {
		case flag == "all":
			parts = all
		case long && slices.Contains(all, flag):
			parts = append(parts, flag)
		case (flag == "directory" || flag == "retain") && i+1 < len(args):
			i++
			if flag == "directory" {
				dir = args[i]
			}
		default:
			return answer{err: "unknown option " + args[i] + "\n", exit: 1}
		}
	}
	for _, part := range parts {
		if wrong := c.create(dir+"/"+part+c.world.now.UTC().Format("-20060102-150405"), "backup of "+part+"\n"); wrong != "" {
			return answer{err: dir + ": " + wrong + "\n", exit: 1}
		}
	}
	return answer{out: "backup complete\n", changes: true}
}

// snapshot implements `snapshot save` and `snapshot status` of etcdctl, with the texts and exit
// codes of a real etcdctl.
func (c *call) snapshot(words []string, endpoints, format string) answer {
	name := words[2]
	switch words[1] {
	case "save":
		if !c.world.quorum() {
			return answer{err: "Error: context deadline exceeded\n", exit: 5, takes: c.took.etcdDead}
		}
		if endpoints == "" || strings.Contains(endpoints, ",") {
			return answer{err: "Error: snapshot must be requested to one selected node, not multiple\n", exit: 5}
		}
		if wrong := c.create(name, strings.Repeat("e", 24576)); wrong != "" {
			return answer{err: fmt.Sprintf("Error: could not open %s.part (open %s.part: %s)\n", name, name, strings.ToLower(wrong)), exit: 5}
		}
		return answer{out: "Snapshot saved at " + name + "\n", changes: true}
	case "status":
		n, wrong := c.lookUp(name)
		if wrong != "" || len(n.text) == 0 {
			return answer{err: fmt.Sprintf("Error: stat %s: %s\n", name, strings.ToLower(wrong)), exit: 1}
		}
		if format != "json" {
			return notSimulated("etcdctl.sh snapshot status as " + format)
		}
		return answer{out: fmt.Sprintf("{\"hash\":604852655,\"revision\":5,\"totalKey\":21,\"totalSize\":%d}\n", len(n.text))}
	default:
		return notSimulated("etcdctl.sh snapshot " + words[1])
	}
}

// simulatedKeys are the keys in the simulated etcd.
var simulatedKeys = []string{
	"/main/config/props/iris-common.prop", "/main/config/routing/routing.yaml",
	"/main/config/schema/DbInternal/tables/AuditEventLog", "/main/pq/1",
}

// get implements `get --prefix PREFIX [--keys-only]` of etcdctl. The client schema-ro may read only
// schemas.
func (c *call) get(prefix string, keysOnly bool, client string) answer {
	const schemas = "/main/config/schema/"
	if client == "schema-ro" && !strings.HasPrefix(prefix, schemas) {
		return answer{err: "Error: etcdserver: permission denied\n", exit: 1}
	}
	var b strings.Builder
	for _, key := range simulatedKeys {
		if !strings.HasPrefix(key, prefix) {
			continue
		}
		b.WriteString(key + "\n")
		if keysOnly {
			b.WriteString("\n")
		} else {
			b.WriteString("value of " + path.Base(key) + "\n")
		}
	}
	return answer{out: b.String()}
}

// grep supports the options -h, -w, -F and -E, and one -e PATTERN, which must consist of plain
// words.
func (c *call) grep(args []string) answer {
	var words []string
	wholeWord := false
	for len(args) > 0 && strings.HasPrefix(args[0], "-") {
		flag := args[0]
		args = args[1:]
		switch flag {
		case "-h", "-F":
		case "-w":
			wholeWord = true
		case "-E":
			wholeWord = true // only words joined by | are simulated
		case "-e":
			if len(args) == 0 {
				return notSimulated("grep -e without a pattern")
			}
			words, args = []string{args[0]}, args[1:]
			if wholeWord {
				words = strings.Split(words[0], "|")
			}
		default:
			return notSimulated("grep " + flag)
		}
	}
	a := answer{exit: 1}
	for _, name := range args {
		f, wrong := c.read(name)
		if wrong != "" {
			a.err += "grep: " + name + ": " + wrong + "\n"
			continue
		}
		for line := range strings.Lines(f.text) {
			if slices.ContainsFunc(words, func(w string) bool { return has(line, w, wholeWord) }) {
				a.out += line
				a.exit = 0
			}
		}
	}
	if a.err != "" {
		a.exit = 2
	}
	return a
}

// has reports whether a line contains a text. If wholeWord is set, the text must be a whole word in
// the line.
func has(line, text string, wholeWord bool) bool {
	if !wholeWord {
		return strings.Contains(line, text)
	}
	return slices.Contains(strings.FieldsFunc(line, func(r rune) bool { return r == ' ' || r == '\n' || r == '-' || r == ':' }), text)
}

// curl requests a page from a Web API Service, which reloads its Client Update Service
// (process-runbooks.md:639). The error texts are those of the real curl.
func (c *call) curl(args []string) answer {
	var address string
	for i := 0; i < len(args); i++ {
		switch a := args[i]; {
		case slices.Contains([]string{"--disable", "--globoff", "--silent", "--show-error", "--fail", "--location"}, a):
		case slices.Contains([]string{"--max-redirs", "--connect-timeout", "--output"}, a) && i+1 < len(args):
			i++
		case address == "" && !strings.HasPrefix(a, "-"):
			address = a
		default:
			return notSimulated("curl " + a)
		}
	}
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "https" {
		return notSimulated("curl " + address)
	}
	i := slices.IndexFunc(c.world.machines, func(m *machine) bool { return m.name == u.Hostname() })
	if i < 0 {
		return answer{err: "curl: (6) Could not resolve host: " + u.Hostname() + "\n", exit: 6}
	}
	web := c.world.machines[i].process("web_api_service")
	switch {
	case web == nil || web.pid == 0 || web.portDead || u.Port() != "8123":
		return answer{err: fmt.Sprintf("curl: (7) Failed to connect to %s port %s after 0 ms: Couldn't connect to server\n", u.Hostname(), u.Port()), exit: 7}
	case u.Path != "/reload/":
		return answer{err: "curl: (22) The requested URL returned error: 404\n", exit: 22}
	default:
		return answer{changes: true}
	}
}
