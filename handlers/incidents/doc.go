// Package incidents handles the verbs about incidents (own, handover, release,
// mute, note), maintenance and its windows, and watches. Each change is stored
// together with its audit record; nothing is sent to a host.
package incidents
