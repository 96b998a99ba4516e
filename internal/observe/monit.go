package observe

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"dhbot/internal/observe/complaint"
	"dhbot/internal/redact"
	"dhbot/internal/remote"
)

var (
	// monitHead matches the first line of a block of `monit status`.
	monitHead = regexp.MustCompile(`^(Process|System|Program|File|Directory|Filesystem|Fifo|Network|Remote Host) '(.*)'$`)
	// monitPending matches a status with an unfinished request, which is named at its end.
	monitPending = regexp.MustCompile(`^(.*) - (start|stop|restart|monitor|unmonitor) pending$`)
	// monitWrong is monit's name of a failed check: "Connection failed", "Resource limit
	// matched", "Size exceeded". monit up to 5.2 used lower-case letters.
	monitWrong = regexp.MustCompile(`^[a-z][a-z ]* (?:failed|matched|match|exceeded|changed|error|down|not supported)$|^(?:timeout|invalid type)$`)
)

// monitUp are the words for "no problem": OK of 5.33, Running of older monit and of the public
// pages, and the words for other service types.
var monitUp = map[string]bool{
	"ok": true, "running": true, "accessible": true, "online with all services": true, "status ok": true, "up": true,
}

// monitNoData is monit's status of a process that it cannot read although it knows the pid, such
// as a zombie. The answer then has no pid (monit 5.33).
const monitNoData = "data access error"

// readMonit parses the answer of `monit status SERVICE`.
func (o *Observation) readMonit(r remote.Result) {
	if r.Exit != 0 {
		o.readMonitRefusal(r)
		return
	}
	fields, err := monitBlock(r.Stdout.String(), o.Service)
	if err != nil {
		o.Why = err.Error()
		return
	}
	o.Status = redact.Line(fields["status"], LineLimit)
	o.Line = "status " + o.Status
	o.Uptime = redact.Line(fields["uptime"], LineLimit)
	o.Collected = redact.Line(fields["data collected"], LineLimit)
	if n, err := strconv.Atoi(fields["pid"]); err == nil && n > 0 {
		o.PID = n
	}
	var base string
	base, o.Pending = splitPending(o.Status)
	o.State = monitState(base, o.PID)
	if o.State == Unseen {
		o.Why = fmt.Sprintf("monit's status %q is unknown", o.Status)
	}
	if o.State == Trouble {
		o.Trouble = base
		if port := fields["port response time"]; strings.HasPrefix(port, "FAILED") {
			o.Trouble = "port response time " + redact.Line(port, LineLimit)
		}
	}
	if o.State == Down {
		o.Note = "monit has a pid for it but cannot read the process: usually a zombie, which has ended but was not collected by its parent"
	}
	if o.State == Up && strings.EqualFold(fields["monitoring status"], "not monitored") {
		o.State = NotMonitored // the status is from the time when the process was monitored
	}
}

// readMonitRefusal parses monit's answer with an exit code other than 0. The message that monit
// does not know the name is an answer; any other failure is not.
func (o *Observation) readMonitRefusal(r remote.Result) {
	for _, missing := range []string{
		"Service '" + o.Service + "' not found", `There is no service named "` + o.Service + `"`, "There is no service by that name",
	} {
		if complaint.Said(r, missing) {
			o.missing(missing)
			return
		}
	}
	o.Line = complaint.Of(r)
	o.Why = complaint.Failure("monit", r)
}

// monitBlock returns the fields of the single block whose heading names exactly this service.
func monitBlock(out, service string) (map[string]string, error) {
	heading := "Process '" + service + "'"
	var fields map[string]string
	found, inside := 0, false
	for line := range strings.Lines(redact.Clean(out)) {
		line = strings.TrimRight(line, "\n ")
		if name, value, ok := monitField(line); ok {
			if _, twice := fields[name]; inside && !twice {
				fields[name] = value
			}
			continue
		}
		if inside = line == heading; inside {
			found++
			fields = map[string]string{}
		}
	}
	switch {
	case found == 0:
		return nil, fmt.Errorf("the answer has no process named exactly %s: %s", service, complaint.Head(out))
	case found > 1:
		return nil, fmt.Errorf("the answer has %[2]s %[1]d times; unknown which one is monit's", found, service)
	case fields["status"] == "":
		return nil, fmt.Errorf("monit's answer has %s without a status", service)
	default:
		return fields, nil
	}
}

// monitField parses a line of a block: two spaces, a name of one or more words, at least two
// spaces, the value.
func monitField(line string) (name, value string, ok bool) {
	rest, ok := strings.CutPrefix(line, "  ")
	if !ok || rest == "" || rest[0] == ' ' {
		return "", "", false
	}
	name, value, _ = strings.Cut(rest, "  ")
	return name, strings.TrimSpace(value), !strings.Contains(name, "\t")
}

// splitPending splits "OK - restart pending".
func splitPending(status string) (base, pending string) {
	if m := monitPending.FindStringSubmatch(status); m != nil {
		return m[1], m[2]
	}
	return status, ""
}

// monitState parses a status without its pending part. " | " joins several results, and all of them
// must be known. A process without a pid in monit is never up.
func monitState(base string, pid int) State {
	var up, starting, unmonitored, gone, startFailed, noData, wrong bool
	for _, word := range strings.Split(base, " | ") {
		switch lower := strings.ToLower(word); {
		case lower == monitNoData && pid == 0:
			noData = true
		case monitUp[lower]:
			up = true
		case lower == "initializing":
			starting = true
		case lower == "not monitored":
			unmonitored = true
		case lower == "does not exist":
			gone = true
		case lower == "execution failed":
			startFailed = true
		case monitWrong.MatchString(lower):
			wrong = true
		default:
			return Unseen
		}
	}
	switch {
	case unmonitored:
		return NotMonitored
	case starting:
		return Starting
	case pid == 0 && startFailed:
		return Failed
	case gone:
		return Recovering
	case noData:
		return Down
	case pid == 0:
		return Unseen
	case startFailed, wrong:
		return Trouble
	case up:
		return Up
	default:
		return Unseen
	}
}
