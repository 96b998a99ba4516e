package runcard

import (
	"dhbot/internal/card"
	"dhbot/internal/command"
	"dhbot/internal/engine"
)

// maxButtonValue is the maximum size of a button's value, in bytes.
const maxButtonValue = 2000

// askAgain returns the button that requests an expired run again. Whoever taps it becomes the
// requester of the new run.
func askAgain(r engine.Run) card.Button {
	in := r.Inputs
	f := command.Fields{Verb: in.Action, Cluster: in.Cluster, Params: in.Params, Reason: r.Reason}
	if in.Process != "" || len(in.Hosts) > 0 {
		f.Targets = append(f.Targets, command.FieldTarget{Process: in.Process, Hosts: in.Hosts})
	}
	for _, p := range in.Also {
		f.Targets = append(f.Targets, command.FieldTarget{Process: p.Process, Hosts: p.Hosts})
	}
	if len(f.Encode()) > maxButtonValue {
		f.Reason = ""
	}
	return card.CommandTap("Ask again", f)
}
