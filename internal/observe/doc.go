// Package observe interprets the output of supervisors and logs about a process. It returns an
// Observation, a Finding by the incident key, and the Verdict on whether a step achieved its
// purpose. It is pure: it gets results and times as arguments, and does no I/O.
//
// The meaning of each output was measured on monit 5.33, systemd 252 and the older formats in the
// runbooks; testdata has the tools' own output. Three rules apply everywhere. An answer that cannot
// be parsed is neither up nor down. A name must match exactly (monit itself treats names as
// patterns). Text before or around the expected output, such as that of a login shell, is ignored.
package observe
