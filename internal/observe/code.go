package observe

// Code identifies a finding. Programs read it in the output of `bot do --json`, so it never
// changes; the headline may.
type Code string

// The codes of processes.
const (
	FoundRunning       Code = "running"
	FoundScheduled     Code = "down-as-scheduled"
	FoundInMaintenance Code = "in-maintenance"
	FoundDown          Code = "down"
	FoundStopped       Code = "stopped-by-run"
	FoundNotKnown      Code = "not-known-to-supervisor"
	FoundLoop          Code = "crash-loop"
	FoundPortSilent    Code = "port-not-answering"
	FoundTrouble       Code = "running-with-trouble"
	FoundErrors        Code = "running-with-errors"
	FoundCannotWork    Code = "running-cannot-work" // a dependency is down
	FoundUnsupervised  Code = "running-without-supervision"
	FoundUnconfigured  Code = "configuration-missing"
	FoundUnwanted      Code = "up-when-it-should-be-down"
	FoundNotMonitored  Code = "not-monitored"
	FoundChanging      Code = "starting-or-stopping"
	FoundPending       Code = "change-pending" // requested of monit, and not finished
	FoundUnproved      Code = "not-seen-to-run"
	FoundUnseen        Code = "not-observed"
)

// The codes of etcd's members, in addition to the codes of processes.
const (
	FoundMemberDown  Code = "etcd-member-down"
	FoundQuorumLost  Code = "etcd-quorum-lost"
	FoundEtcdTrouble Code = "etcd-trouble"
	FoundEtcdSilent  Code = "etcd-not-serving"
	FoundEtcdUnseen  Code = "etcd-not-observed"
)

// The codes of hosts as a whole.
const (
	FoundMonitBusy Code = "monit-busy"
	FoundUnlisted  Code = "not-in-config" // not up, and not in the config
)
