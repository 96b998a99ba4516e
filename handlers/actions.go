package handlers

import (
	"context"
	"fmt"

	"dhbot/handlers/call"
	"dhbot/handlers/incidents"
	"dhbot/internal/command"
)

// handler executes one request that passed the gate.
type handler func(*Service, context.Context, *call.Call) error

// handlersByVerb has the handler of each verb in command.Table. The verbs that a catalog
// defines are handled in handlerOf.
var handlersByVerb = map[string]handler{
	"status":  (*Service).ShowStatus,
	"verify":  (*Service).ShowVerify,
	"watch":   (*Service).StartWatch,
	"deps":    (*Service).Deps,
	"follow":  (*Service).Follow,
	"restart": (*Service).request, "start": (*Service).request, "stop": (*Service).request, "maintenance": (*Service).SetMaintenance,
	incidents.WindowVerb: (*Service).AskWindow, incidents.WindowApprove: (*Service).ApproveWindow, incidents.WindowCancel: (*Service).CancelWindow,
	"approve": (*Service).approve, "deny": (*Service).deny, "looking": (*Service).looking, "withdraw": (*Service).withdraw,
	"cancel": (*Service).cancel, "done": (*Service).tick, "close": (*Service).closeUnknown, "continue": (*Service).continueRun,
	"incidents": (*Service).ListIncidents, "own": (*Service).OwnIncident, "handover": (*Service).HandOver,
	"release": (*Service).ReleaseIncident, "mute": (*Service).MuteIncident, "note": (*Service).NoteIncident,
	"byhand": (*Service).byHand,
	"show":   (*Service).ShowRun, "details": (*Service).details, "runs": (*Service).ListRuns, "locks": (*Service).ListLocks,
	"health": (*Service).ShowHealth, "people": (*Service).ListPeople, "audit": (*Service).AuditTrail, "timeline": (*Service).Timeline,
	"help": (*Service).help,
}

// listsByVerb has the handlers of the verbs that, without arguments, show a list.
var listsByVerb = map[string]handler{
	"watch": (*Service).ListFollows, "maintenance": (*Service).ListMaintenance,
}

// handlerOf returns the handler of a request.
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
		return (*Service).ReadOutput, nil
	}
	h, ok := handlersByVerb[verb]
	if !ok {
		return nil, fmt.Errorf("command table: %s has no handler", verb)
	}
	return h, nil
}

// carryOut executes a request. If a read ignores some of the typed words, carryOut lists
// them before the answer.
func (s *Service) carryOut(ctx context.Context, c *call.Call) error {
	do, err := handlerOf(c.Req)
	if err != nil {
		return err
	}
	if len(c.Req.Left) > 0 {
		s.sayLeft(ctx, c)
	}
	return do(s, ctx, c)
}
