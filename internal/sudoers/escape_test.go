package sudoers

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"mvdan.cc/sh/v3/syntax"

	"dhbot/internal/fleet"
	"dhbot/internal/test/testenv"
)

// attempt is a command that the bot's account runs, and that must have no effect beyond the rules.
type attempt struct {
	env  []string // NAME=value, set before sudo
	argv []string
	// harmless means that a rule allows the command. In that case, the caller's environment and
	// directory must not affect it.
	harmless bool
}

// planted is a path of the attacker. Attempts try to make sudo or a program execute it or read it.
const planted = "/tmp/planted"

// attempts returns the commands that an attacker with the bot's account may try against a sudoers
// file. They include variants of each rule.
func attempts(f *File) (out []attempt) {
	sudo := func(words ...string) {
		out = append(out, attempt{argv: append([]string{"sudo", "-n"}, words...)})
	}
	for _, user := range []string{"root", "irisadmin", "dbmerge", "#0", "#-1", "#4294967295", "nobody"} {
		sudo("-u", user, "sh", "-c", "id")
		sudo("-u", user, "bash")
		sudo("-u", user, "-s")
		sudo("-u", user, "-i")
		sudo("-u", user, "env", "sh")
		sudo("-u", user, "cat", "/etc/shadow")
		sudo("-u", user, "tee", "/etc/sudoers.d/x")
	}
	sudo("-e", "/etc/sudoers")
	sudo("sudoedit", "/etc/sudoers")
	sudo("-g", "root", "id")
	sudo("su", "-")
	sudo("visudo")
	seen := map[string]bool{}
	for _, r := range f.Rules {
		out = append(out, around(f, r)...)
		if program := r.RunAs + r.Program; !seen[program] {
			seen[program] = true
			out = append(out, surrounding(r)...)
		}
	}
	return slices.DeleteFunc(out, func(a attempt) bool { return !a.harmless && listed(f, a.argv) })
}

// around returns attempts that are variants of the rule's example.
func around(f *File, r Rule) (out []attempt) {
	at := len(r.Example) - argCount(r)
	head, args := r.Example[:at:at], r.Example[at:]
	deny := func(before []string, args ...string) {
		out = append(out, attempt{argv: slices.Concat(before, args)})
	}
	for _, other := range near(args) {
		deny(head, other...)
	}
	for _, extra := range extras[filepath.Base(r.Program)] {
		deny(head, append(slices.Clone(args), extra...)...)
		deny(head, append(slices.Clone(extra), args...)...)
		deny(head, extra...)
	}
	// These attempts join the same words with other white space, or run other programs with the
	// same name.
	if len(args) > 1 {
		deny(head, strings.Join(args, "\n"))
		deny(head, strings.Join(args, "\t"))
	}
	deny(append(head[:at-1:at-1], planted+"/"+filepath.Base(r.Program)), args...)
	deny(append(head[:at-1:at-1], "."+r.Program), args...)
	return out
}

// surrounding returns attempts to run an allowed command in a way that is not allowed, with an
// option of sudo or with a variable.
func surrounding(r Rule) (out []attempt) {
	at := len(r.Example) - argCount(r)
	for _, o := range [][]string{{"-E"}, {"--preserve-env=PATH"}, {"-D", "/tmp"}, {"-R", "/tmp"}, {"-C", "4"}, {"-g", "shadow"}, {"-h", "other"}} {
		out = append(out, attempt{argv: slices.Concat(r.Example[:2], o, r.Example[2:])})
	}
	for _, v := range variables {
		out = append(out,
			attempt{argv: slices.Concat(r.Example[:at-1], []string{v}, r.Example[at-1:])},
			attempt{env: []string{v}, argv: r.Example, harmless: true})
	}
	return out
}

// listed reports whether any rule of the file allows a command. A variant of one rule may be
// allowed by the similar rule of another process.
func listed(f *File, argv []string) bool {
	return slices.ContainsFunc(f.Rules, func(r Rule) bool {
		return slices.Equal(r.Example, argv) || r.Args != `""` && r.Args[0] != '^' &&
			slices.Equal(append(r.Example[:len(r.Example)-argCount(r):len(r.Example)-argCount(r)], strings.Fields(escape.ReplaceAllString(r.Args, "$1"))...), argv)
	})
}

// variables are environment variables that can change what a program does. For example, they
// determine what it loads, where it finds other programs, and which pager or endpoint it uses.
var variables = []string{
	"LD_PRELOAD=" + planted, "LD_LIBRARY_PATH=" + planted, "PATH=" + planted, "BASH_ENV=" + planted, "ENV=" + planted, "IFS=/", "HOME=" + planted,
	"PAGER=" + planted, "SYSTEMD_PAGER=" + planted, "SYSTEMD_EDITOR=" + planted, "LESSOPEN=|" + planted, "EDITOR=" + planted, "SHELLOPTS=xtrace",
	"DH_ETCD_DIR=" + planted, "DH_ETCD_USER=../../../.." + planted, "DH_ETCD_USER=root", "ETCDCTL_ENDPOINTS=https://127.0.0.1:1", "ETCDCTL_CACERT=" + planted,
	"SHELLOPTS=privileged:xtrace", "PS4=$(" + planted + ")", "BASH_COMPAT=31", "BASH_FUNC_exec%%=() { " + planted + "; }", "LC_COLLATE=en_US.UTF-8/../../" + planted,
	"JAVA_TOOL_OPTIONS=-javaagent:" + planted, "MYSQL_HOME=" + planted, "PYTHONPATH=" + planted, "PERL5LIB=" + planted, "TMPDIR=" + planted, "XAUTHORITY=" + planted,
}

// extras has, for each program, arguments with which it would do more than a rule allows.
var extras = map[string][][]string{
	"monit":      {{"-c", planted}, {"-s", planted}, {"-p", planted}, {"-l", planted}, {"quit"}, {"-g", "all", "stop"}, {"procmatch", "."}},
	"systemctl":  {{"edit", "dh-etcd"}, {"--host=root@127.0.0.1"}, {"--root=/tmp"}, {"link", planted}, {"enable", planted}, {"status", "dh-etcd"}, {"--property=ExecStart", "show"}, {"daemon-reload"}, {"poweroff"}, {"set-environment", "A=b"}},
	"journalctl": {{"--file=/etc/shadow"}, {"-D", planted}, {"--vacuum-size=1"}, {"--rotate"}, {"--root=/tmp"}, {"--pager-end"}, {"-u", "sshd"}, {"--output=export"}, {"--cursor-file=" + planted}},
	"find":       {{"-delete"}, {"-exec", "sh", ";"}, {"-ok", "sh", ";"}, {"-fprint", planted}, {"-fprintf", planted, "x"}, {"-fls", planted}, {"-files0-from", "/etc/shadow"}, {"-L"}},
	"ls":         {{"/root"}, {"-R", "/"}, {"--", "/etc/shadow"}, {"-la"}},
	"cat":        {{"/etc/shadow"}, {"-"}, {"/etc/sysconfig/deephaven/etcd/client/root/password"}},
	"tail":       {{"/etc/shadow"}, {"-f", "/etc/shadow"}, {"--follow=name"}, {"--pid=1"}, {"-c", "+0"}},
	"rm":         {{"-rf", "/"}, {"--no-preserve-root", "/"}, {"-r", "/db"}, {"/etc/passwd"}, {"-r", "/db/Intraday"}},
	"du":         {{"--files0-from=/etc/shadow"}, {"/root"}, {"-a"}, {"-X", "/etc/shadow"}},
	"stat":       {{"-f", "/root"}, {"--printf=%n", "/etc/shadow"}},
	"cp":         {{"/etc/shadow", planted}, {"-t", "/etc/sudoers.d"}, {"--target-directory=/etc"}, {"-r"}, {"--parents"}},
	"mv":         {{planted, "/etc/sudoers.d/x"}, {"-t", "/etc"}, {"-f"}, {"--backup"}},
	"install":    {{"-m", "4755", "/bin/sh", planted}, {"-o", "root", planted, "/etc/sudoers.d/x"}, {"-t", "/etc"}},
	"mkdir":      {{"-m", "0777", "/etc/x"}, {"/etc/cron.d/x"}},
	"env": {
		{"sh"}, {"-S", "sh -c id"}, {"-i", "sh"}, {"-C", "/tmp", "sh"}, {"-u", "X", "sh"}, {"A=b", "sh"}, {"DH_ETCD_USER=root", "/usr/illumon/latest/bin/etcdctl.sh", "get", "--prefix", "/main/config/"},
		{"DH_ETCD_USER=schema-ro", "PATH=" + planted, "/usr/illumon/latest/bin/etcdctl.sh", "get", "--prefix", "/main/config/"}, {"DH_ETCD_DIR=" + planted, "/usr/illumon/latest/bin/etcdctl.sh", "get", "--prefix", "/main/config/"},
	},
	"etcdctl.sh": {
		{"--endpoints", "http://127.0.0.1:1", "snapshot", "save", "/backup/etcd-snapshot-20260209-140607-k3x7qa.db"}, {"--endpoints", "https://attacker:2379", "snapshot", "save", "/backup/etcd-snapshot-20260209-140607-k3x7qa.db"},
		{"--endpoints=https://attacker:2379"}, {"put", "/main/config/x", "y"}, {"del", "--prefix", "/main/"}, {"get", "--prefix", "/"}, {"get", "--prefix", "/main/config/../secret"}, {"user", "list"}, {"user", "add", "x"}, {"snapshot", "restore", "x"},
		{"snapshot", "save", "/etc/cron.d/x"}, {"auth", "disable"}, {"--write-out=fields"}, {"--cacert", planted}, {"alarm", "disarm"}, {"member", "remove", "1"}, {"lock", "x", "sh"}, {"elect", "x"}, {"watch", "x", "--", "sh"},
	},
	"mysql":            {{"-e", "drop database dbacl_iris"}, {"-e", "system sh"}, {"--pager=sh"}, {"--tee=" + planted}, {"--defaults-file=" + planted}, {"-h", "attacker"}, {"--plugin-dir=" + planted}},
	"dhconfig":         {{"pq", "import", "--file", planted}, {"pq", "export", "--file", "/etc/cron.d/x"}, {"pq", "import", "--file", "/var/backups/deephaven/queries/../x.xml"}, {"schema", "import"}, {"--retainSerial=replace"}},
	"iris":             {{"controller_tool", "--file=" + planted}, {"db_merge_server", "start"}, {"-J-javaagent:" + planted}},
	"backup_deephaven": {{"--directory", "/etc"}, {"--retain", "0"}, {"-R", "1"}, {"--restore"}},
	"dh_monit":         {{"stop", "all"}, {"quit"}},
}

// ran is a script that replaces every program in a file. It logs that it ran, its directory, and
// the environment that reached it.
const ran = `#!/bin/sh
echo "RAN $0 in $(pwd)" >> /run/ran
export -p >> /run/ran
`

// TestEscapes runs the attempts with the real sudo, in a chroot in which a stand-in replaces every
// program that a file names. There are at least 100 attempts for each host of the demo's fleet and
// of the lab, and none may succeed. The test needs root, sudo and a kernel that lets root mount.
// With DHBOT_ESCAPES=1 it runs all attempts, otherwise only an evenly spread part.
func TestEscapes(t *testing.T) {
	testenv.Program(t, "sudo")
	for _, f := range slices.Concat(builtinFiles(t, false), demoFiles(t, false)) {
		t.Run(f.Cluster+"/"+f.Catalog+"/"+f.Host, func(t *testing.T) {
			t.Parallel()
			tryAll(t, f, attempts(f), nil)
		})
	}
}

// TestWrapperEscapes is like TestEscapes, but for an old sudo. It runs the attempts both through
// the wrapper and without it. It also checks that the wrapper runs each command of the catalog.
// Without DHBOT_ESCAPES=1 it tests only one host.
func TestWrapperEscapes(t *testing.T) {
	testenv.Program(t, "sudo")
	now, old := builtinFiles(t, false), builtinFiles(t, true)
	if os.Getenv("DHBOT_ESCAPES") != "" {
		now, old = append(now, demoFiles(t, false)...), append(old, demoFiles(t, true)...)
	}
	for i, f := range old {
		if f.Host+f.Catalog != "infracurrent" && os.Getenv("DHBOT_ESCAPES") == "" {
			continue
		}
		t.Run(f.Cluster+"/"+f.Catalog+"/"+f.Host, func(t *testing.T) {
			if len(f.LeftOut) > 0 {
				t.Errorf("left out for an old sudo: %+v", f.LeftOut)
			}
			var allowed []attempt
			for _, r := range slices.Concat(f.Rules, now[i].Rules) {
				allowed = append(allowed, attempt{argv: wrapped(r.Example), harmless: true})
			}
			tryAll(t, f, wrapperAttempts(now[i]), allowed)
		})
	}
}

// wrapped returns a command in the form in which the bot sends it to a host with an old sudo.
func wrapped(argv []string) []string {
	if slices.Contains(argv, fleet.SudoWrapper) {
		return argv
	}
	return (&fleet.Host{OldSudo: true}).Sudo(argv)
}

// wrapperAttempts returns the attempts against the file for a newer sudo, both through the wrapper
// and without it. It adds attempts against the wrapper itself.
func wrapperAttempts(now *File) (out []attempt) {
	for _, a := range attempts(now) {
		if !a.harmless {
			out = append(out, a)
		}
		out = append(out, attempt{env: a.env, argv: wrapped(a.argv), harmless: a.harmless})
	}
	for _, r := range now.Rules {
		at := len(r.Example) - argCount(r)
		head, words := append(slices.Clone(r.Example[:at-1]), fleet.SudoWrapper), r.Example[at-1:]
		deny := func(words ...string) { out = append(out, attempt{argv: slices.Concat(head, words)}) }
		deny(append([]string{"--may"}, words...)...)
		deny(append([]string{fleet.SudoWrapper}, words...)...)
		deny(append([]string{"bash", "-p", "-c"}, words...)...)
		deny(append(slices.Clone(words), "#")...)
		deny(append(slices.Clone(words), "")...)
		deny(strings.Join(words, "#"))
		if len(words) > 1 {
			deny(strings.Join(words, " "))
			deny(slices.Concat([]string{words[0] + "#" + words[1]}, words[2:])...)
			deny(slices.Concat([]string{words[0] + " " + words[1]}, words[2:])...)
		}
		other := slices.Clone(r.Example[:at-1])
		if i := slices.Index(other, "-u"); i > 0 && !allowedTo(now, "root", words) {
			out = append(out, attempt{argv: slices.Concat(other[:i], []string{fleet.SudoWrapper}, words)})
		}
	}
	for _, words := range [][]string{{}, {"--may"}, {"-p"}, {"-c", "id"}, {"-n"}, {"-e", "x"}, {"/bin/sh"}, {"*"}, {".*"}, {"^"}, {"monit", ".*"}, {"monit#status"}} {
		out = append(out, attempt{argv: append([]string{"sudo", "-n", fleet.SudoWrapper}, words...)})
	}
	return out
}

// allowedTo reports whether a rule allows these words to run as the given account.
func allowedTo(f *File, account string, words []string) bool {
	return slices.ContainsFunc(f.Rules, func(r Rule) bool {
		return r.RunAs == account && slices.Equal(r.Example[len(r.Example)-argCount(r)-1:], words)
	})
}

// tryAll runs attempts against a file, and the commands that must be allowed. Without
// DHBOT_ESCAPES=1 it runs only some of the attempts.
func tryAll(t *testing.T, f *File, tried, allowed []attempt) {
	if os.Getenv("DHBOT_ESCAPES") == "" {
		tried = some(tried, 200)
	}
	if len(tried) < 100 {
		t.Fatalf("only %d attempts", len(tried))
	}
	tried = append(tried, allowed...)
	got := inRoot(t, f, tried)
	for i, a := range tried {
		ran, out := got[i].ran, got[i].surroundings
		leaked := strings.Contains(out, planted) || len(a.env) > 0 && strings.Contains(out, a.env[0])
		switch {
		case a.harmless && !ran:
			t.Errorf("refused, but must be allowed: %q %q", a.env, a.argv)
		case !a.harmless && ran:
			t.Errorf("got through: %q", a.argv)
		case a.harmless && (leaked && len(a.env) > 0 || !strings.Contains(out, " in /\n")):
			t.Errorf("%q reached %q:\n%s", a.env, a.argv, out)
		}
	}
	t.Logf("%d attempts, %d rules", len(tried), len(f.Rules))
}

// some returns n of the attempts, evenly spread over the list.
func some(all []attempt, n int) (out []attempt) {
	for i := range min(n, len(all)) {
		out = append(out, all[i*len(all)/n])
	}
	return out
}

type outcome struct {
	ran          bool
	surroundings string
}

// inRoot runs the attempts as the bot's account in a chroot. A single shell runs all of them.
func inRoot(t *testing.T, f *File, tried []attempt) []outcome {
	t.Helper()
	dir := t.TempDir()
	script, setup := accountScript(t, tried), rootScript(f)
	for name, text := range map[string]string{"attempts": script, "sudoers": f.String(), "wrapper": f.Wrapper(), "stand-in": ran} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command("unshare", "--mount", "--propagation", "private", "bash", "-euc", setup, "bash", dir)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil || !bytes.Contains(out, []byte("=== ready")) {
		t.Fatalf("sudo cannot be tried in a changed root here: %v\n%s%s", err, out, stderr.Bytes())
	}
	_, answers, _ := strings.Cut(string(out), "=== ready\n")
	parts := strings.Split(answers, "=== next\n")
	if len(parts) != len(tried)+1 {
		t.Fatalf("%d answers to %d attempts:\n%s\n%s", len(parts)-1, len(tried), out, stderr.Bytes())
	}
	got := make([]outcome, len(tried))
	for i := range got {
		got[i] = outcome{ran: strings.Contains(parts[i], "RAN "), surroundings: parts[i]}
	}
	return got
}

// accountScript returns a shell script that runs the attempts one after the other. After each
// attempt it prints and empties the log of the stand-in programs.
func accountScript(t *testing.T, tried []attempt) string {
	t.Helper()
	quote := func(s string) string {
		q, err := syntax.Quote(s, syntax.LangBash)
		if err != nil {
			t.Fatalf("%q: %v", s, err)
		}
		return q
	}
	var b strings.Builder
	b.WriteString("cd /var/tmp\necho '=== ready'\nshow() { while IFS= read -r l; do echo \"$l\"; done < /run/ran; : > /run/ran; echo '=== next'; }\n")
	for _, a := range tried {
		words := make([]string, len(a.argv))
		for i, w := range a.argv {
			words[i] = quote(w)
		}
		set := ""
		for _, v := range a.env {
			name, value, _ := strings.Cut(v, "=")
			set += "export " + name + "=" + quote(value) + "; "
		}
		words[0] = "/usr/bin/sudo"
		if set != "" && strings.HasPrefix(set, "export LD_") {
			set = "" // it would also affect the commands of this shell itself
		}
		fmt.Fprintf(&b, "( %s%s ) </dev/null >/dev/null 2>&1; show\n", set, strings.Join(words, " "))
	}
	return b.String()
}

// rootScript returns a shell script that makes a chroot from this machine's files. An overlay takes
// all changes. The script replaces every program in the file by a stand-in, and runs the attempts.
func rootScript(f *File) string {
	var b strings.Builder
	b.WriteString(`d=$1; mkdir $d/t; mount -t tmpfs tmpfs $d/t; mkdir $d/t/up $d/t/work $d/t/root
mount -t overlay overlay -o lowerdir=/,upperdir=$d/t/up,workdir=$d/t/work $d/t/root
cd $d/t/root; mount --rbind /dev dev; mount -t proc proc proc; mount -t tmpfs tmpfs run; mkdir -p run/sudo tmp; chmod 1777 tmp
for u in ` + f.User + ` irisadmin dbmerge; do echo "$u:x:$((n=${n:-4000}+1)):4000::/tmp:/bin/bash" >> etc/passwd; echo "$u:*:19000:0:99999:7:::" >> etc/shadow; done
echo 'lab:x:4000:' >> etc/group
printf 'Defaults !fqdn\nDefaults env_keep += "XAUTHORITY PAGER SYSTEMD_PAGER DH_ETCD_DIR HOME MYSQL_HOME"\nDefaults runcwd=*\nroot ALL=(ALL) ALL\n@includedir /etc/sudoers.d\n' > etc/sudoers
rm -rf etc/sudoers.d; mkdir etc/sudoers.d; cp $d/sudoers etc/sudoers.d/dhbot; chmod 440 etc/sudoers etc/sudoers.d/dhbot; chown -R 0:0 etc/sudoers etc/sudoers.d
mkdir -p usr/local/libexec; cp $d/wrapper usr/local/libexec/dhbot-sudo; chmod 755 usr/local/libexec usr/local/libexec/dhbot-sudo
cp $d/attempts tmp/attempts; : > run/ran; chmod 666 run/ran; chmod 755 . tmp/..
put() { mkdir -p .${1%/*}; rm -f .$1; cp $d/stand-in .$1; chmod 755 .$1; }
`)
	programs := map[string]bool{}
	for _, r := range f.Rules {
		programs[r.Program] = true
	}
	b.WriteString("cp -a usr/bin/cp usr/bin/rm usr/bin/mkdir usr/bin/chmod run/; PATH=$PWD/run:$PATH; hash -r\n")
	for p := range programs {
		fmt.Fprintf(&b, "put %s\nmkdir -p tmp/planted; cp $d/stand-in tmp/planted/; chmod 755 tmp/planted/stand-in; cp tmp/planted/stand-in tmp/planted/%s\n", p, filepath.Base(p))
	}
	b.WriteString("exec chroot . /bin/su " + f.User + " -s /bin/bash -c 'bash /tmp/attempts'\n")
	return b.String()
}
