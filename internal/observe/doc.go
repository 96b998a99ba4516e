// Package observe interprets the output of supervisors and logs about a process. It returns an
// Observation, and a Finding with the severity of the observation by the incident key. The
// package is pure: it gets results and times as arguments, and does no I/O. Package proof decides
// whether a step achieved its purpose.
//
// The meaning of each output was determined by running monit 5.33 and systemd 252; the meaning of
// older formats is from the runbooks. Package answertest has samples of the tools' own output.
// Three rules apply everywhere. An answer that cannot be parsed is neither up nor down. A name
// must match exactly (monit itself treats names as patterns). Text before or around the expected
// output, such as the greeting of a login shell, is ignored.
//
// # Files
//
//   - observation.go: the states of a process
//   - monit.go, summary.go, listed.go: output of monit, and its states
//   - systemd.go: output of systemctl
//   - pids.go: the process list
//   - applog.go: application logs: format of a line, times, levels, states
//   - logline.go: a log line in parts, for display
//   - logcheck.go: which errors in a log count: how far back, and from how long after the
//     start of the process
//   - unitlog.go: logs of etcd and MariaDB
//   - assess.go: the severity and the headline of an observation
//   - code.go: codes of findings
//   - serves.go, uptime.go: whether a process serves, and how long it has been running
//   - readlist.go: the lines of a discovery read
package observe
