package programs

import (
	"regexp"
	"slices"
	"strings"
)

// judges are the known programs, with a function that evaluates their arguments.
var judges = map[string]func(args []string) Effect{
	"find": find, "systemctl": systemctl, "monit": monit, "dh_monit": monit,
	"etcdctl": etcdctl, "etcdctl.sh": etcdctl, "etcdutl": etcdctl, "mysql": mysql, "mariadb": mysql,
	"dhconfig": dhconfig, "iris": iris, "backup_deephaven": backup, "curl": curl, "tar": tar, "rpm": rpm,
	"cp": copying, "install": install, "mkdir": mkdir, "date": date, "hostname": hostname, "timedatectl": timedatectl,
	"journalctl": options{
		flags: "aqrxekfm", valued: "nuopStUgc",
		long: "no-pager all quiet reverse catalog dmesg utc merge no-hostname no-full full no-tail list-boots disk-usage " +
			"unit= user-unit= lines= output= priority= since= until= identifier= grep= facility= output-fields=",
	}.reads,
	"sort": options{flags: "nrughVMbfidcsz", valued: "kt", long: "unique numeric-sort reverse human-numeric-sort key= field-separator="}.reads,
	"ss":   options{flags: "tulnapeomis460xwrHO", long: "tcp udp listening numeric all processes summary no-header"}.reads,
	"lsof": options{flags: "nPatblRU", valued: "ipucdgs"}.reads,
}

func init() {
	for _, name := range strings.Fields(`cat df du egrep fgrep free getent grep head id iostat ls lsblk lscpu md5sum netstat nproc pgrep ps
		readlink realpath sha256sum stat tail uname uptime vmstat w wc who whoami zcat zgrep`) {
		judges[name] = always(Reads)
	}
	for _, name := range strings.Fields(`dd dropdb mkfs rm rmdir shred truncate unlink userdel wipefs`) {
		judges[name] = always(Destroys)
	}
}

func always(e Effect) func([]string) Effect { return func([]string) Effect { return e } }

func when(reads bool) Effect {
	if reads {
		return Reads
	}
	return Changes
}

// date only reads if its operands are formats.
func date(args []string) Effect {
	ops, ok := options{flags: "uR", valued: "dr", long: "utc rfc-email iso-8601 date= reference= rfc-3339="}.parse(args)
	return when(ok && !slices.ContainsFunc(ops, func(o string) bool { return !strings.HasPrefix(o, "+") }))
}

func hostname(args []string) Effect {
	ops, ok := options{flags: "fsdiIA", long: "fqdn short domain"}.parse(args)
	return when(ok && len(ops) == 0)
}

func timedatectl(args []string) Effect {
	ops, ok := options{flags: "a", valued: "p", long: "no-pager all value property="}.parse(args)
	return when(ok && (len(ops) == 0 || ops[0] == "status" || ops[0] == "show"))
}

// rpm only reads if it is a query. A format, a macro or a pipe in a query may run programs, and
// so is not accepted.
func rpm(args []string) Effect {
	_, ok := options{flags: "qailfcdRV", long: "query all info list last"}.parse(args)
	return when(ok && len(args) > 0 && (strings.HasPrefix(args[0], "-q") || args[0] == "--query"))
}

// findTests are the arguments that a find which only reads may have after its directories.
var findTests = strings.Fields(`-name -iname -path -ipath -wholename -regex -iregex -regextype -type -maxdepth -mindepth -mtime -mmin -ctime -cmin
	-atime -amin -newer -newermt -size -user -group -uid -gid -perm -empty -links -inum -print -print0 -printf -ls -prune -quit -o -or -a -and -not
	-xdev -mount -depth -daystart -follow -true -false -readable -writable -executable -nouser -nogroup -H -L -P`)

var numeric = regexp.MustCompile(`^-[0-9]+[bcwkMG]?$`) // "-mmin -75"

func find(args []string) Effect {
	if has(args, "-delete", "-exec", "-execdir", "-ok", "-okdir") {
		return Destroys
	}
	return when(!slices.ContainsFunc(args, func(a string) bool {
		return strings.HasPrefix(a, "-") && !slices.Contains(findTests, a) && !numeric.MatchString(a)
	}))
}

var unitReads = strings.Fields("status show is-active is-enabled is-failed list-units list-timers list-unit-files cat")

var supervised = []string{"start", "stop", "restart", "try-restart", "reload", "monitor"}

func systemctl(args []string) Effect {
	ops, ok := options{
		flags: "alq", valued: "pton",
		long: "no-pager no-block all full value plain no-legend quiet property= type= state= output= lines=",
	}.parse(args)
	switch {
	case !ok || len(ops) == 0:
		return Changes
	case slices.Contains(unitReads, ops[0]):
		return Reads
	case len(ops) == 2 && slices.Contains(supervised, ops[0]):
		return Restarts
	}
	return Changes
}

func monit(args []string) Effect {
	ops, ok := options{flags: "vB"}.parse(args)
	switch {
	case !ok || len(ops) == 0:
		return Changes
	case slices.Contains([]string{"status", "summary", "report"}, ops[0]):
		return Reads
	case len(ops) == 2 && ops[1] != "all" && slices.Contains(supervised, ops[0]):
		return Restarts
	}
	return Changes
}

var etcdReads = []string{
	"endpoint health", "endpoint status", "endpoint hashkv", "member list", "role list", "role get", "user list",
	"alarm list", "snapshot status", "version",
}

func etcdctl(args []string) Effect {
	ops, ok := options{
		valued: "w",
		long: "prefix keys-only print-value-only count-only from-key cluster hex endpoints= write-out= limit= rev= sort-by= order= consistency= " +
			"cacert= cert= key= command-timeout= dial-timeout=",
	}.parse(args)
	two := strings.Join(ops[:min(len(ops), 2)], " ")
	switch {
	case has(args, "del", "restore", "remove", "delete"):
		return Destroys
	case !ok || len(ops) == 0:
		return Changes
	case ops[0] == "get" || slices.Contains(etcdReads, two):
		return Reads
	case two == "snapshot save" && len(ops) == 3 && FreshFile(ops[2]):
		return Writes
	}
	return Changes
}

var (
	asking     = regexp.MustCompile(`(?i)^\s*(select|show|describe|desc|explain)\b[^;\\]*;?\s*$`)
	storing    = regexp.MustCompile(`(?i)\binto\b|\bfor\s+update\b|\b(sleep|get_lock|load_file|benchmark|sys_exec|sys_eval)\s*\(|:=|/\*`)
	destroying = regexp.MustCompile(`(?i)\b(drop|delete|truncate)\b`)
)

// mysql only reads if its arguments contain exactly one statement, and the statement is a query.
// Clients differ in what they do with a second -e.
func mysql(args []string) Effect {
	var statements []string
	for i := 0; i < len(args); i++ {
		switch {
		case has(args[i:i+1], "-e", "--execute", "-D", "--database") && i+1 < len(args):
			if args[i] == "-e" || args[i] == "--execute" {
				statements = append(statements, args[i+1])
			}
			i++
		case has(args[i:i+1], "-N", "-B", "-t", "-s"):
		default:
			return Changes
		}
	}
	switch {
	case slices.ContainsFunc(statements, destroying.MatchString):
		return Destroys
	case len(statements) == 1 && asking.MatchString(statements[0]) && !storing.MatchString(statements[0]):
		return Reads
	}
	return Changes
}

func dhconfig(args []string) Effect {
	ops, ok := options{long: "file="}.parse(args)
	switch {
	case has(args, "--retainSerial=replace", "--delete", "delete"):
		return Destroys
	case !ok || len(ops) < 2:
		return Changes
	case (ops[1] == "list" || ops[1] == "status") && len(ops) == len(args):
		return Reads
	case ops[1] == "export" && FreshFile(strings.TrimPrefix(args[len(args)-1], "--file=")):
		return Writes
	}
	return Changes
}

func iris(args []string) Effect {
	switch {
	case slices.Contains(args, "--retainSerial=replace"):
		return Destroys
	case slices.Equal(args, []string{"controller_tool", "--export"}):
		return Writes
	}
	return Changes
}

// backup writes into its directory if every option is a known part to back up. Any other option
// may delete, as a retention deletes older files.
func backup(args []string) Effect {
	if len(args) < 2 || args[0] != "--directory" || !FreshFile(args[1]) {
		return Destroys
	}
	parts := strings.Fields("--{param.parts} --all --etcd --ACLs --persistentQueries --workspaceData --schema --propertyFiles --routing")
	if slices.ContainsFunc(args[2:], func(a string) bool { return !slices.Contains(parts, a) }) {
		return Destroys
	}
	return Writes
}

// curl only reads if it requests just the head, because a complete request may have any effect.
func curl(args []string) Effect {
	ops, ok := options{flags: "IsSf46", valued: "m", long: "head silent show-error fail max-time= connect-timeout="}.parse(args)
	web := func(address string) bool {
		return strings.HasPrefix(address, "https://") || strings.HasPrefix(address, "http://")
	}
	only := slices.ContainsFunc(args, headOnly.MatchString)
	return when(ok && only && len(ops) > 0 && !slices.ContainsFunc(ops, func(o string) bool { return !web(o) }))
}

var headOnly = regexp.MustCompile(`^(--head|-[sSf46]*I[sSf46]*)$`)

var listing = regexp.MustCompile(`^-?t[vzjJ]*f$`)

// tar reads if it lists one archive. A colon in the name of an archive means another host,
// where tar runs a shell.
func tar(args []string) Effect {
	return when(len(args) == 2 && listing.MatchString(args[0]) && !strings.HasPrefix(args[1], "-") && !strings.Contains(args[1], ":"))
}

// copying returns Writes for one copy to a path that FreshFile accepts, if the copy has a new name
// or existing files are kept. Otherwise it returns Changes.
func copying(args []string) Effect {
	ops, ok := options{flags: "aprRdnvLPH", long: "no-clobber preserve archive"}.parse(args)
	if !ok || len(ops) != 2 || !FreshFile(ops[1]) {
		return Changes
	}
	if has(args, "-n", "--no-clobber") || strings.Contains(ops[1], "{minted.") {
		return Writes
	}
	return Changes
}

func install(args []string) Effect {
	ops, ok := options{flags: "dv", valued: "mog", long: "directory mode= owner= group="}.parse(args)
	if ok && has(args, "-d", "--directory") && freshAll(ops) {
		return Writes
	}
	return Changes
}

func mkdir(args []string) Effect {
	ops, ok := options{flags: "pv", valued: "m", long: "parents mode="}.parse(args)
	if ok && freshAll(ops) {
		return Writes
	}
	return Changes
}

func freshAll(paths []string) bool {
	return len(paths) > 0 && !slices.ContainsFunc(paths, func(p string) bool { return !FreshFile(p) })
}
