package handlers

import (
	"context"
	"fmt"

	"dhbot/internal/command"
)

// handler carries out one request that passed the gate.
type handler func(*Service, context.Context, *call) error

// handlersByVerb are what the verbs of command.Table do; whatever a catalog adds
// is requested, or read.
var handlersByVerb = map[string]handler{
	"status":  (*Service).showStatus,
	"verify":  (*Service).showVerify,
	"watch":   (*Service).startWatch,
	"deps":    (*Service).deps,
	"follow":  (*Service).follow,
	"restart": (*Service).request, "start": (*Service).request, "stop": (*Service).request, "maintenance": (*Service).setMaintenance,
	windowVerb: (*Service).askWindow, windowApprove: (*Service).approveWindow, windowCancel: (*Service).cancelWindow,
	"approve": (*Service).approve, "deny": (*Service).deny, "looking": (*Service).looking, "withdraw": (*Service).withdraw,
	"cancel": (*Service).cancel, "done": (*Service).tick, "close": (*Service).closeUnknown, "continue": (*Service).continueRun,
	"incidents": (*Service).listIncidents, "own": (*Service).ownIncident, "handover": (*Service).handOver,
	"release": (*Service).releaseIncident, "mute": (*Service).muteIncident, "note": (*Service).noteIncident,
	"byhand": (*Service).byHand,
	"show":   (*Service).showRun, "details": (*Service).details, "runs": (*Service).listRuns, "locks": (*Service).listLocks,
	"health": (*Service).showHealth, "people": (*Service).listPeople, "audit": (*Service).auditTrail, "timeline": (*Service).timeline,
	"help": (*Service).help,
}

// listsByVerb are what a verb alone lists.
var listsByVerb = map[string]handler{
	"watch": (*Service).listFollows, "maintenance": (*Service).listMaintenance,
}

// handlerOf is what a request does.
func handlerOf(r *command.Request) (handler, error) {
	verb := r.Command.Verb
	switch {
	case r.Plan:
		return (*Service).showPlan, nil
	case r.Command.Alone:
		if h, ok := listsByVerb[verb]; ok {
			return h, nil
		}
		return (*Service).openRuns, nil
	case r.Command.FromCatalog && r.Command.Class.Changing():
		return (*Service).request, nil
	case r.Command.FromCatalog:
		return (*Service).readOutput, nil
	}
	h, ok := handlersByVerb[verb]
	if !ok {
		return nil, fmt.Errorf("command table: nothing carries out %s", verb)
	}
	return h, nil
}

// carryOut does what a request asks for. What a read was typed with and does not
// take is said before its answer.
func (s *Service) carryOut(ctx context.Context, c *call) error {
	do, err := handlerOf(c.req)
	if err != nil {
		return err
	}
	if len(c.req.Left) > 0 {
		s.sayLeft(ctx, c)
	}
	return do(s, ctx, c)
}
