package config

import (
	"fmt"
	"slices"
	"strings"

	"dhbot/auth"
	"dhbot/internal/strictyaml"
	"dhbot/runbooks"
)

// readCall reads the order in which approvers are mentioned. It refuses a person who is not an
// approver, because the mention would wake someone who cannot vote.
func (b *builder) readCall(cluster string, v strictyaml.Value) {
	if !v.There() {
		return
	}
	o := v.Object(keysOf[callKeys]()...)
	approvers := b.config.Rules.Clusters[cluster][auth.Approver]
	taken := map[string]string{}
	read := func(group string) (names []string) {
		for _, item := range o.Get(group).Texts() {
			name := item.Text()
			switch {
			case !slices.Contains(approvers, name):
				item.Problem(fmt.Sprintf("%s is not an approver of %s, so the bot must not mention them", name, cluster),
					strictyaml.Meant(name, approvers, "add them to roles.approvers, or name one of "))
			case taken[name] != "":
				item.Problem(fmt.Sprintf("%s is already in %s", name, taken[name]), "name each person once")
			default:
				taken[name] = group
				names = append(names, name)
			}
		}
		return names
	}
	calls := auth.Calls{First: read("first"), Next: read("next")}
	if b.config.Rules.Calls == nil {
		b.config.Rules.Calls = map[string]auth.Calls{}
	}
	b.config.Rules.Calls[cluster] = calls
	b.checkCall(cluster, calls, o.Get("first"))
}

// checkCall warns about an operator whose requests skip the first group. That happens if no one
// else in the group can approve, because a requester can never vote.
func (b *builder) checkCall(cluster string, calls auth.Calls, first strictyaml.Value) {
	if len(calls.First) == 0 {
		return
	}
	rules := &b.config.Rules
	var skips []string
	for _, name := range rules.Clusters[cluster][auth.Operator] {
		called := rules.Call(cluster, name, auth.FirstRound)
		inFirst := func(p auth.Person) bool { return slices.Contains(calls.First, p.Name) }
		if len(called) > 0 && !slices.ContainsFunc(called, inFirst) {
			skips = append(skips, name)
		}
	}
	if len(skips) > 0 {
		need := rules.Policy.VotesNeeded(runbooks.Disruptive, runbooks.Critical)
		first.Warning(fmt.Sprintf("a request by %s mentions the next group at once: no one else in this group can approve it", strings.Join(skips, ", ")),
			fmt.Sprintf("put at least %d people into first", need+1))
	}
}
