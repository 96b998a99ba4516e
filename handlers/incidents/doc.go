// Package incidents handles the verbs for incidents (own, handover, release, mute, note),
// maintenance, maintenance windows and watches. Each change is stored together with its
// audit record. The package sends nothing to a host.
//
// # Files
//
//   - incidents.go: the verbs incidents, own, handover, release, mute and note; which incident
//     is meant; who may change and who may own an incident
//   - maintenance.go: how long announced maintenance can last, and for how long one person
//     alone may announce it for a Sev 1 process
//   - window.go: maintenance windows, how far in advance they can begin, how their times are
//     parsed, who may approve and cancel them
//   - watch.go: starts, prolongs, ends and lists watches; their limits are in
//     internal/incident/follow.go
package incidents
