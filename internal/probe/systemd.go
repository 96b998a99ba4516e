package probe

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"dhbot/internal/redact"
	"dhbot/internal/remote"
)

var (
	// unitHead begins `systemctl status`: "● dh-etcd.service - Deephaven …".
	// The replacement systemctl prints no dot.
	unitHead = regexp.MustCompile(`^(?:[●○◌×↻*] )?(\S+\.\w+)(?: - .*)?$`)
	// unitField is one of its lines, unitActive the value of "Active".
	unitField  = regexp.MustCompile(`^\s+([A-Z][A-Za-z ]*): (.*)$`)
	unitActive = regexp.MustCompile(`^([a-z]+)(?: \(([^):]*)\))?(?: \(Result: ([^)]*)\))?(?: since ([^;]+)(?:; (.+) ago)?)?$`)
	// unitPID is a live main process; a dead one is followed by "(code=…".
	unitPID = regexp.MustCompile(`^(\d+) \([^)=]*\)$`)
)

// unit is what systemd said of a unit, in either form.
type unit struct {
	load, active, sub, result string
	pid                       int
	since, ago                string
}

// readSystemd reads the answer of `systemctl status UNIT` or of
// `systemctl show UNIT`. Exit codes: 0 active, 3 not active, 4 no such unit.
func (o *Observation) readSystemd(r remote.Result) {
	name := o.Service
	if !strings.Contains(name, ".") {
		name += ".service"
	}
	said := Complaint(r)
	switch r.Exit {
	case 0, 3:
	case 4:
		o.Line = said
		if said == "Unit "+name+" could not be found." {
			o.State, o.Status = Missing, said
			return
		}
		fallthrough
	default:
		o.Why = fmt.Sprintf("systemctl answered with exit code %d: %s", r.Exit, said)
		return
	}
	if strings.HasSuffix(said, "Unit "+name+" could not be found.") { // the replacement exits 3
		o.State, o.Status, o.Line = Missing, said, said
		return
	}
	out := redact.Clean(r.Stdout.String())
	u, ok := unitShown(out)
	if !ok {
		u, ok = unitStatus(out, name)
	}
	if !ok {
		o.Why = "systemd's answer says nothing of a unit named exactly " + name
		return
	}
	o.fromUnit(u)
}

// fromUnit judges what systemd said.
func (o *Observation) fromUnit(u unit) {
	o.Status = u.active
	if u.sub != "" {
		o.Status += " (" + u.sub + ")"
	}
	o.Status = redact.Line(o.Status, lineLimit)
	o.Line = "Active: " + o.Status
	o.PID, o.Uptime, o.Collected = u.pid, u.ago, u.since
	o.State = u.state()
	if u.load == "not-found" {
		if o.State != Up || u.pid == 0 {
			o.State = Missing
			return
		}
		// The unit file went away under a process that runs.
		o.ConfigMissing = "systemd no longer finds its unit file: once stopped it cannot be started"
	}
	switch {
	case o.State == Unseen:
		o.Why = fmt.Sprintf("systemd says %q, which is not understood", o.Status)
	case u.load == "masked":
		o.Trouble = "masked: systemd will not start it"
	case u.result != "" && u.result != "success":
		o.Trouble = "result " + redact.Line(u.result, lineLimit)
	}
	if o.State != Up {
		o.PID = 0
	}
}

// state reads systemd's two words.
func (u unit) state() State {
	switch u.active {
	case "active":
		if u.sub == "running" {
			return Up
		}
		if u.sub == "exited" {
			return Down // the unit is active and none of its processes runs
		}
		return Unseen
	case "reloading":
		return Up
	case "activating":
		if u.sub == "auto-restart" {
			return Recovering // died, and systemd starts it again after a pause
		}
		return Starting
	case "deactivating":
		return Stopping
	case "inactive":
		return Down
	case "failed":
		return Failed
	default:
		return Unseen
	}
}

// unitShown reads the form of `systemctl show`, KEY=VALUE a line.
func unitShown(out string) (unit, bool) {
	shown := map[string]string{}
	for line := range strings.Lines(out) {
		key, value, ok := strings.Cut(strings.TrimRight(line, "\n"), "=")
		if ok && !strings.ContainsAny(key, " \t") {
			shown[key] = value
		}
	}
	u := unit{
		load: shown["LoadState"], active: shown["ActiveState"], sub: shown["SubState"],
		result: shown["Result"], since: shown["ExecMainStartTimestamp"],
	}
	if n, err := strconv.Atoi(shown["MainPID"]); err == nil && n > 0 {
		u.pid = n
	}
	return u, u.load != "" && u.active != "" && u.sub != ""
}

// unitStatus reads the form of `systemctl status`, up to the empty line after
// which the unit's own log begins.
func unitStatus(out, name string) (unit, bool) {
	var u unit
	inside := false
	for line := range strings.Lines(out) {
		line = strings.TrimRight(line, "\n ")
		if !inside {
			head := unitHead.FindStringSubmatch(line)
			inside = head != nil && head[1] == name
			continue
		}
		if line == "" {
			break
		}
		field := unitField.FindStringSubmatch(line)
		if field == nil {
			continue
		}
		switch field[1] {
		case "Loaded":
			u.load, _, _ = strings.Cut(field[2], " ")
		case "Active":
			if m := unitActive.FindStringSubmatch(field[2]); m != nil && u.active == "" {
				u.active, u.sub, u.result, u.since, u.ago = m[1], m[2], m[3], m[4], m[5]
			}
		case "Main PID":
			if m := unitPID.FindStringSubmatch(field[2]); m != nil && u.pid == 0 {
				u.pid, _ = strconv.Atoi(m[1])
			}
		}
	}
	return u, u.active != ""
}
