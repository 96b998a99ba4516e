package runbooks

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
)

// digestForm is the version of the canonical form of a plan. A change of the form needs a new
// version, which invalidates all earlier approvals.
const digestForm = 1

// canonicalPlan is the content that the digest covers: what is sent, where, in which order, with
// which limits, and what counts as success. It omits titles and other explanations, because new
// wording must not invalidate an approval. Durations are in seconds.
type canonicalPlan struct {
	Form     int             `json:"form"`
	Catalog  string          `json:"catalog"`
	Cluster  string          `json:"cluster"`
	Action   string          `json:"action"`
	Class    Class           `json:"class"`
	Severity Severity        `json:"severity"`
	Targets  []Target        `json:"targets"`
	Locks    []string        `json:"locks"`
	Steps    []canonicalStep `json:"steps"`
}

type canonicalStep struct {
	Kind    StepKind  `json:"kind"`
	Process string    `json:"process"`
	Manager Manager   `json:"manager"`
	Service string    `json:"service"`
	Host    string    `json:"host"`
	Address string    `json:"address"`
	Login   string    `json:"login"`
	Via     string    `json:"via,omitempty"`
	About   string    `json:"about,omitempty"`
	Member  string    `json:"member,omitempty"`
	Quota   int64     `json:"quota,omitempty"`
	Expect  string    `json:"expect,omitempty"`
	Command string    `json:"command"`
	Sent    string    `json:"sent"`
	Until   Condition `json:"until"`
	Check   Check     `json:"check"`
	Timeout int64     `json:"timeout"`
	Within  int64     `json:"within"`
}

// Same reports whether two plans have the same digest and the same content.
func (p Plan) Same(q Plan) bool {
	a, b := p.Canonical(), q.Canonical()
	return p.Digest == q.Digest && len(a) > 0 && bytes.Equal(a, b)
}

// ComputeDigest returns the SHA-256 of the plan's canonical form, in hex.
func (p *Plan) ComputeDigest() string {
	b := p.Canonical()
	if b == nil {
		return ""
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// Canonical returns the canonical form of a plan: JSON without white space, with the keys in a
// fixed order.
func (p *Plan) Canonical() []byte {
	c := canonicalPlan{
		Form: digestForm, Catalog: p.Catalog, Cluster: p.Cluster, Action: p.Action,
		Class: p.Class, Severity: p.Severity, Targets: p.Targets, Locks: p.Locks,
	}
	for _, s := range p.Steps {
		c.Steps = append(c.Steps, canonicalStep{
			Kind:    s.Kind,
			Process: s.Process,
			Manager: s.Manager,
			Service: s.Service,
			Host:    s.Host,
			Address: s.Address,
			Login:   s.Login,
			Via:     s.Via,
			About:   s.About,
			Member:  s.Member,
			Quota:   s.Quota,
			Expect:  s.Expect,
			Command: s.Command,
			Sent:    s.Sent,
			Until:   s.Until,
			Check:   s.Check,
			Timeout: int64(s.Timeout.D().Seconds()),
			Within:  int64(s.Within.D().Seconds()),
		})
	}
	// Strings, numbers and slices can always be encoded. If encoding failed, the digest would be
	// empty, and nobody could approve the plan.
	b, err := json.Marshal(c)
	if err != nil {
		return nil
	}
	return b
}
