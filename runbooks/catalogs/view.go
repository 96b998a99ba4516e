package catalogs

import (
	"slices"

	"dhbot/runbooks"
)

// View is a catalog as `bot catalog --json` prints it.
type View struct {
	Catalog   string        `json:"catalog"`
	Title     string        `json:"title"`
	Processes []ProcessView `json:"processes"`
	// Actions are the actions that are about a host or the cluster.
	Actions []ActionView `json:"actions"`
}

// ProcessView is a process with its actions.
type ProcessView struct {
	Process
	Actions []ActionView `json:"actions"`
}

// ActionView is an action with its exact commands, for a host that replaces no setting. Command,
// Source and Corrected come from the main step (see mainStep). Placeholders stand for the parts
// that depend on the request.
type ActionView struct {
	Action    string              `json:"action"`
	Title     string              `json:"title"`
	Class     runbooks.Class      `json:"class"`
	Level     runbooks.Severity   `json:"level"`
	Params    []Param             `json:"params,omitempty"`
	Command   string              `json:"command"`
	Source    string              `json:"source,omitempty"`
	Corrected string              `json:"corrected,omitempty"`
	Steps     []runbooks.StepView `json:"steps"`
}

// View returns the catalog for display.
func (c *Catalog) View() (View, error) {
	v := View{Catalog: c.Name, Title: c.Title, Actions: []ActionView{}}
	for _, p := range c.Processes() {
		pv := ProcessView{Process: p, Actions: []ActionView{}}
		for _, name := range p.Actions {
			a, err := c.Action(name, p.ID)
			if err != nil {
				return View{}, err
			}
			av, err := c.viewAction(a, &p)
			if err != nil {
				return View{}, err
			}
			pv.Actions = append(pv.Actions, av)
		}
		v.Processes = append(v.Processes, pv)
	}
	for _, a := range c.actions {
		if !a.suits(nil) {
			continue
		}
		av, err := c.viewAction(a, nil)
		if err != nil {
			return View{}, err
		}
		v.Actions = append(v.Actions, av)
	}
	return v, nil
}

func (c *Catalog) viewAction(a *Action, p *Process) (ActionView, error) {
	v := ActionView{Action: a.Name, Title: a.Title, Class: a.Class, Level: a.LevelFor(p), Params: a.Params, Steps: []runbooks.StepView{}}
	named := -1
	for i := range a.Steps {
		t := &a.Steps[i]
		about := p
		if t.Process != "" {
			about, _ = c.Process(t.Process)
		}
		if t.Use != "" {
			v.Steps = append(v.Steps, runbooks.StepView{Kind: runbooks.Exec, Process: t.Process, Use: t.Use, Title: t.title, Only: t.limitedTo()})
			continue
		}
		if t.AppLog && (about == nil || len(about.Logs.App) == 0) {
			continue
		}
		step, err := (&Binding{Catalog: c, Process: about}).Step(t)
		if err != nil {
			return ActionView{}, err
		}
		if t.main {
			named = len(v.Steps)
		}
		v.Steps = append(v.Steps, runbooks.ViewStep(step))
	}
	if main := mainStep(v.Steps, named); main >= 0 {
		v.Command = v.Steps[main].Command
		v.Source = v.Steps[main].Source
		v.Corrected = v.Steps[main].Corrected
	}
	return v, nil
}

// mainStep returns the index of an action's main step. This is the step that is marked in the
// catalog, or else the first exec step, or else the first step that is not a list step, or else 0.
// The argument named is the index of the marked step, or -1. Without steps the result is -1.
func mainStep(steps []runbooks.StepView, named int) int {
	if named >= 0 || len(steps) == 0 {
		return named
	}
	for _, kind := range []func(runbooks.StepView) bool{
		func(s runbooks.StepView) bool { return s.Kind == runbooks.Exec },
		func(s runbooks.StepView) bool { return s.Kind != runbooks.List },
	} {
		if i := slices.IndexFunc(steps, kind); i >= 0 {
			return i
		}
	}
	return 0
}
