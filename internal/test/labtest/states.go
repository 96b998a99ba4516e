package labtest

import (
	"fmt"
	"testing"
)

// State is a state in which a test can put processes of the lab. Its scripts run on the host of the
// process, whose name is in $p.
type State struct {
	Name        string
	Break, Mend string
	// Neighbour is another process on the same host, whose start hangs. It is "" if there is none.
	Neighbour string
}

const (
	quick = "printf 'START_DELAY=0\nSTOP_DELAY=0\n' > /etc/dhlab/svc/$p; "
	knob  = quick + "echo %s >> /etc/dhlab/svc/$p; kill -HUP $(cat /run/deephaven/$p.pid); "
	die   = "kill -KILL $(cat /run/deephaven/$p.pid); "
	// stopped is a script that waits until monit has stopped the process, because monit stops only
	// one process at a time.
	stopped = "for i in $(seq 120); do monit -B status $p | grep -q 'status *Not monitored$' && break; sleep 1; done; "
	// settled is a script that waits until a new error in the log of $p no longer counts as an
	// error during the start.
	settled = "while [ $(ps -o etimes= -p $(cat /run/deephaven/$p.pid)) -lt 125 ]; do sleep 1; done; "
	conf    = "f=$(ls /etc/sysconfig/illumon.d/monit/*$p.conf*); "
)

const (
	// Again is a script that restores the settings and starts the process with an empty log.
	Again = quick + "d=$(awk -v p=$p '$1==p{print $4}' /usr/lib/dhlab/svc-table); for f in /var/log/deephaven/$d/*.log.*; do : > $f; done; for i in $(seq 30); do monit start $p >/dev/null 2>&1 && break; sleep 1; done; "
	// HangInStart is a script that kills a process whose next start then hangs.
	HangInStart = quick + "echo HANG_START=13 >> /etc/dhlab/svc/$p; kill -HUP $(cat /run/deephaven/$p.pid); " + die
)

// Names of the states.
const (
	StoppedByHand = "stopped by hand"
	Killed        = "killed, and does not start"
	CrashLoop     = "crash loop of 6 s"
	NotKnown      = "unknown to its supervisor"
	StaleMonit    = "stale monit"
	HangingStop   = "a stop that hangs"
	Errors        = "one error a second"
)

// States returns all states.
func States() []State {
	knobbed := func(k string) string { return fmt.Sprintf(knob, k) }
	return []State{
		{Name: StoppedByHand, Break: "monit stop $p; " + stopped, Mend: Again},
		{Name: Killed, Break: knobbed("FAIL_START=1") + die, Mend: Again},
		{Name: CrashLoop, Break: knobbed("EXIT_AFTER=6"), Mend: Again},
		{
			Name: NotKnown, Break: conf + `mv "$f" "${f%.conf}.conf.disabled"; monit reload; `,
			Mend: conf + `mv "$f" "${f%.disabled}"; monit reload; sleep 3; ` + Again,
		},
		{Name: StaleMonit, Break: "sleep 6; " + knobbed("FAIL_START=1") + die, Mend: Again, Neighbour: "log_aggregator_service"},
		{
			Name: HangingStop, Break: knobbed("IGNORE_TERM=1") + "monit stop $p; ",
			Mend: quick + "kill -HUP $(cat /run/deephaven/$p.pid); " + die + Again,
		},
		{Name: Errors, Break: settled + knobbed("LOG_ERROR_EVERY=1"), Mend: Again + "monit restart $p; "},
	}
}

// On runs a script for each process in parallel. In the map processes, a key is a host.
func On(t testing.TB, processes map[string][]string, script string) {
	t.Helper()
	scripts := map[string]string{}
	for host, list := range processes {
		for _, p := range list {
			scripts[host] += "(p=" + p + "; " + script + ") >/dev/null 2>&1 &\n"
		}
		scripts[host] += "wait\n"
	}
	each(t, scripts, func(host string) string { return scripts[host] })
	if t.Failed() {
		t.FailNow()
	}
}
