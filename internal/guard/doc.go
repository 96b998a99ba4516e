// Package guard queries the guards of a plan: reads that can refuse it because of the state of
// its targets. At the request it queries all of them, before an approver is mentioned. At the
// start it queries the guards of later targets again; the engine itself queries the others.
package guard
