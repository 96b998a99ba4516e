package runbooks

import "slices"

// CatalogView is a catalog as `bot catalog --json` shows it.
type CatalogView struct {
	Catalog   string        `json:"catalog"`
	Title     string        `json:"title"`
	Processes []ProcessView `json:"processes"`
	// Actions are the actions on a host or the cluster.
	Actions []ActionView `json:"actions"`
}

// ProcessView is a process with its actions spelt out.
type ProcessView struct {
	Process
	Actions []ActionView `json:"actions"`
}

// ActionView is an action with the exact commands of a host that overrides
// nothing. Command, Source and Corrected are those of the step that does what
// the action is named after: the one that the catalog says, or else its first
// exec step, or else its first step that is no discovery read.
// Placeholders stand where a command depends on the request.
type ActionView struct {
	Action    string     `json:"action"`
	Title     string     `json:"title"`
	Class     Class      `json:"class"`
	Level     Severity   `json:"level"`
	Params    []Param    `json:"params,omitempty"`
	Command   string     `json:"command"`
	Source    string     `json:"source,omitempty"`
	Corrected string     `json:"corrected,omitempty"`
	Steps     []StepView `json:"steps"`
}

// View is the catalog for people and scripts.
func (c *Catalog) View() (CatalogView, error) {
	v := CatalogView{Catalog: c.Name, Title: c.Title, Actions: []ActionView{}}
	for _, p := range c.Processes() {
		pv := ProcessView{Process: p, Actions: []ActionView{}}
		for _, name := range p.Actions {
			a, err := c.Action(name, p.ID)
			if err != nil {
				return CatalogView{}, err
			}
			av, err := c.viewAction(a, &p)
			if err != nil {
				return CatalogView{}, err
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
			return CatalogView{}, err
		}
		v.Actions = append(v.Actions, av)
	}
	return v, nil
}

func (c *Catalog) viewAction(a *Action, p *Process) (ActionView, error) {
	v := ActionView{Action: a.Name, Title: a.Title, Class: a.Class, Level: a.levelFor(p), Params: a.Params, Steps: []StepView{}}
	named := -1
	for i := range a.steps {
		t := &a.steps[i]
		about := p
		if t.process != "" {
			about, _ = c.Process(t.process)
		}
		if t.use != "" {
			v.Steps = append(v.Steps, StepView{Kind: Exec, Process: t.process, Use: t.use, Title: t.title})
			continue
		}
		if t.appLog && (about == nil || len(about.Logs.App) == 0) {
			continue
		}
		step, err := (&scope{catalog: c, process: about}).step(t)
		if err != nil {
			return ActionView{}, err
		}
		if t.main {
			named = len(v.Steps)
		}
		v.Steps = append(v.Steps, viewStep(step))
	}
	if main := mainStep(v.Steps, named); main >= 0 {
		v.Command = v.Steps[main].Command
		v.Source = v.Steps[main].Source
		v.Corrected = v.Steps[main].Corrected
	}
	return v, nil
}

// mainStep is the step that the catalog says is the main one, or else the
// first that executes, that is no discovery read, or that there is.
func mainStep(steps []StepView, named int) int {
	if named >= 0 || len(steps) == 0 {
		return named
	}
	for _, kind := range []func(StepView) bool{
		func(s StepView) bool { return s.Kind == Exec },
		func(s StepView) bool { return s.Kind != List },
	} {
		if i := slices.IndexFunc(steps, kind); i >= 0 {
			return i
		}
	}
	return 0
}
