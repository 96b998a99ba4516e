package runbooks

import (
	"fmt"

	"dhbot/internal/suggest"
)

// UnknownError reports an unknown name.
type UnknownError struct {
	What        string   // "process", "action", "host", "cluster", "catalog"
	Name        string   // as given; Error clips and escapes it
	In          string   // the scope of the search, e.g. "catalog current"
	Suggestions []string // the most likely first
}

func (e *UnknownError) Error() string {
	s := fmt.Sprintf("there is no %s %s", e.What, suggest.Short(e.Name))
	if e.In != "" {
		s += " in " + e.In
	}
	return s + suggest.Hint(e.Suggestions, nil)
}

// NotOfferedError reports that an action is not available for a process. If Process is "", the
// action needs a process, but none was named.
type NotOfferedError struct {
	Action, Process string
	Offered         []string // the available actions
}

func (e *NotOfferedError) Error() string {
	if e.Process == "" {
		return fmt.Sprintf("%s needs a process to act on%s", e.Action, suggest.Hint(nil, nil))
	}
	return fmt.Sprintf("%s is not available for %s%s", e.Action, e.Process, suggest.Hint(nil, e.Offered))
}

// PlacementError reports an action that cannot run on the named hosts, or on any host.
type PlacementError struct {
	Process, Host, Cluster string
	On                     []string // hosts configured for the process
	Why                    string   // the complete message; "" if the process is not on the host, or on any host
}

func (e *PlacementError) Error() string {
	switch {
	case e.Why != "":
		return e.Why
	case len(e.On) == 0:
		return fmt.Sprintf("no host of %s has %s in its list of processes", e.Cluster, e.Process)
	default:
		return fmt.Sprintf("%s does not run on %s; in %s it runs on %s", e.Process, suggest.Short(e.Host), e.Cluster, JoinAnd(e.On))
	}
}

// ParamError reports an invalid value in the fields Params, Minted or Listed of Inputs.
type ParamError struct {
	Action, Param string
	Value         string // as given; Error clips and escapes it
	Want          string // what it must be
}

func (e *ParamError) Error() string {
	if e.Value == "" {
		return fmt.Sprintf("%s: %s %s", e.Action, e.Param, e.Want)
	}
	return fmt.Sprintf("%s: %s=%s: %s", e.Action, e.Param, suggest.Short(e.Value), e.Want)
}

func JoinAnd(names []string) string {
	switch len(names) {
	case 0, 1:
		return suggest.Either(names)
	default:
		return suggest.Either(names[:len(names)-1:len(names)-1]) + " and " + names[len(names)-1]
	}
}
