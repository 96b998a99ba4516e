// Package incidents handles the verbs for incidents (own, handover, release, mute, note),
// maintenance, maintenance windows and watches. Each change is stored together with its
// audit record. The package sends nothing to a host.
package incidents
