package runbooks

import (
	"fmt"
	"slices"
	"strings"
)

// StepView is a step in the format of `bot plan --json`. Check is the success criterion, or the
// condition of a wait step.
type StepView struct {
	Kind      StepKind  `json:"kind"`
	Title     string    `json:"title,omitempty"`
	Process   string    `json:"process,omitempty"`
	Host      string    `json:"host,omitempty"`
	Address   string    `json:"address,omitempty"`
	Login     string    `json:"login,omitempty"`
	Via       string    `json:"via,omitempty"`
	Command   string    `json:"command"`
	Sent      string    `json:"sent,omitempty"` // absent while a discovery read is missing
	Timeout   *Duration `json:"timeout"`        // null for manual steps
	Check     string    `json:"check"`
	Within    *Duration `json:"within,omitempty"`
	Use       string    `json:"use,omitempty"`  // a catalog's step that includes another action
	Only      string    `json:"only,omitempty"` // the hosts of that step, if not all: "hosts with db_dis"
	Source    string    `json:"source,omitempty"`
	Corrected string    `json:"corrected,omitempty"`
}

// PlanView is a plan in the format of `bot plan --json`. If there are discovery reads that have not
// run, they are the first steps, and the digest is null.
type PlanView struct {
	Catalog  string     `json:"catalog"`
	Cluster  string     `json:"cluster"`
	Action   string     `json:"action"`
	Title    string     `json:"title"`
	Class    Class      `json:"class"`
	Severity Severity   `json:"severity"`
	Targets  []Target   `json:"targets"`
	Impact   string     `json:"impact,omitempty"`
	Votes    int        `json:"votes"`
	Locks    []string   `json:"locks"`
	Steps    []StepView `json:"steps"`
	Digest   *string    `json:"digest"`
}

func ViewStep(s Step) StepView {
	v := StepView{
		Kind: s.Kind, Title: s.Title, Process: s.Process, Host: s.Host, Address: s.Address, Login: s.Login, Via: s.Via,
		Command: s.Command, Sent: s.Sent, Check: string(s.Check), Source: s.Source, Corrected: s.Corrected,
	}
	if s.Until != "" {
		v.Check = string(s.Until)
	}
	if s.Timeout > 0 {
		v.Timeout = &s.Timeout
	}
	if s.Within > 0 {
		v.Within = &s.Within
	}
	return v
}

// View returns the plan for display. votes is the number of approvals that it requires.
func (p Plan) View(votes int) PlanView {
	v := PlanView{
		Catalog: p.Catalog, Cluster: p.Cluster, Action: p.Action, Title: p.Title, Class: p.Class,
		Severity: p.Severity,
		Targets:  p.Targets,
		Impact:   p.Impact,
		Votes:    votes,
		Locks:    append([]string{}, p.Locks...),
		Steps:    []StepView{},
	}
	if p.Digest != "" {
		v.Digest = &p.Digest
	}
	for _, s := range slices.Concat(p.Discover, p.Steps) {
		v.Steps = append(v.Steps, ViewStep(s))
	}
	return v
}

// Text returns the plan as readable text, as `bot plan` prints it.
func (v PlanView) Text() string {
	var b strings.Builder
	digest := "none yet: discovery reads have to run first"
	if v.Digest != nil {
		digest = *v.Digest
	}
	fmt.Fprintf(&b, "%s in %s · %s · %s · approvals %d\ndigest %s\n", v.Title, v.Cluster, v.Class, v.Severity, v.Votes, digest)
	for i, s := range v.Steps {
		fmt.Fprintf(&b, "%3d  %-6s %s: %s\n", i+1, s.Kind, s.Host, s.Command)
		if s.Sent != "" {
			fmt.Fprintf(&b, "            sent   %s\n", s.Sent)
		}
		fmt.Fprintf(&b, "            check  %s\n", s.Check)
		if s.Source != "" {
			fmt.Fprintf(&b, "            source %s\n", s.Source)
		}
		if s.Corrected != "" {
			fmt.Fprintf(&b, "            corrected: %s\n", s.Corrected)
		}
	}
	return b.String()
}
