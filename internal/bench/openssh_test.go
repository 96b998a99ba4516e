package bench

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// clockTick is the unit of CPU times in /proc: one tick of Linux's USER_HZ.
const clockTick = 10 * time.Millisecond

// openSSH configures OpenSSH's client for an estate, until the benchmark ends.
type openSSH struct {
	dir         string // the directory of the files and of the masters' sockets
	kept, fresh string // ssh_config files: with kept connections (ControlMaster), and with new connections
}

func newOpenSSH(tb testing.TB, e *estate) *openSSH {
	tb.Helper()
	dir, err := os.MkdirTemp("", "b") // the path of a socket must be short
	if err != nil {
		tb.Fatal(err)
	}
	base := fmt.Sprintf("Host *\n User %s\n IdentityFile %s\n IdentitiesOnly yes\n UserKnownHostsFile %s\n BatchMode yes\n", e.login, e.keyFile, e.knownHosts)
	o := &openSSH{
		dir:   dir,
		kept:  write(tb, dir+"/kept", base+" ControlMaster auto\n ControlPersist 10m\n ControlPath "+dir+"/%C\n", 0o600),
		fresh: write(tb, dir+"/fresh", base+" ControlMaster no\n ControlPath none\n", 0o600),
	}
	tb.Cleanup(func() {
		o.stop(tb)
		os.RemoveAll(dir)
	})
	return o
}

// mastersCPU is the CPU time that the ssh masters have used so far.
func (o *openSSH) mastersCPU(tb testing.TB) (all time.Duration) {
	tb.Helper()
	for _, pid := range o.masters(tb) {
		all += processorTime(tb, strconv.Itoa(pid))
	}
	return all
}

// masters returns the ssh processes that keep connections open. The command line of such a
// process contains the path of its socket.
func (o *openSSH) masters(tb testing.TB) (pids []int) {
	tb.Helper()
	list, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		tb.Fatal(err)
	}
	for _, file := range list {
		words, err := os.ReadFile(file)
		if err != nil || !strings.HasPrefix(string(words), "ssh: "+o.dir) {
			continue
		}
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(file)))
		if err != nil {
			tb.Fatal(err)
		}
		pids = append(pids, pid)
	}
	return pids
}

// stop ends the masters.
func (o *openSSH) stop(tb testing.TB) {
	tb.Helper()
	for _, pid := range o.masters(tb) {
		if master, err := os.FindProcess(pid); err == nil {
			_ = master.Kill()
		}
	}
}

// processorTime is the CPU time that a process has used so far, 0 if it has ended.
func processorTime(tb testing.TB, pid string) (used time.Duration) {
	tb.Helper()
	stat, err := os.ReadFile("/proc/" + pid + "/stat")
	if err != nil {
		return 0
	}
	fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
	for _, ticks := range fields[11:13] { // utime and stime
		n, err := strconv.Atoi(ticks)
		if err != nil {
			tb.Fatal(err)
		}
		used += time.Duration(n) * clockTick
	}
	return used
}
