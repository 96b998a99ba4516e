// Package incidents handles the verbs for incidents (own, handover, release, mute, note),
// maintenance, maintenance windows and watches. Each change is stored together with its
// audit record. The package sends nothing to a host.
//
// # Files
//
//   - incidents.go: incidents, own, handover, release, mute, note: which incident is meant,
//     who may change and who may own it
//   - maintenance.go: the shortest and longest announcement, and how long one person alone may
//     announce for a Sev 1 process
//   - window.go: maintenance windows: how far ahead, how times are read, who may approve and
//     cancel
//   - watch.go: starts, prolongs, ends and lists watches; their limits are in
//     internal/incident/follow.go
package incidents
