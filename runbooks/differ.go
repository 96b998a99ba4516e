package runbooks

import (
	"fmt"
	"slices"
	"strings"
)

// Differences returns the differences between an earlier and a newer plan of the same action, as
// text for people. The most important come first: hosts, accounts, commands, then time limits. For
// equal plans it returns nil.
func Differences(was, is Plan) []string {
	if was.Digest == is.Digest && is.Digest != "" {
		return nil
	}
	var out []string
	out = append(out, differ("also on %s", "not on %s", hostsIn(was), hostsIn(is))...)
	out = append(out, placeDifferences(was, is)...)
	out = append(out, differ("new: %s", "removed: %s", commandsIn(was), commandsIn(is))...)
	if len(out) == 0 && !slices.Equal(commandsIn(was), commandsIn(is)) {
		out = append(out, "the same commands in another order")
	}
	if n := waitDifferences(was, is); n > 0 {
		out = append(out, fmt.Sprintf("other time-outs, checks or guards in %d of %d steps", n, len(is.Steps)))
	}
	if len(out) == 0 {
		out = append(out, "details of the plan that are not listed here")
	}
	return out
}

// differ returns the entries that only one of two lists has. The formats added and gone say which
// list.
func differ(added, gone string, was, is []string) []string {
	var out []string
	for _, s := range is {
		if !slices.Contains(was, s) {
			out = append(out, fmt.Sprintf(added, s))
		}
	}
	for _, s := range was {
		if !slices.Contains(is, s) {
			out = append(out, fmt.Sprintf(gone, s))
		}
	}
	return out
}

func hostsIn(p Plan) []string {
	var out []string
	for _, st := range p.Steps {
		if st.Host != "" && !slices.Contains(out, st.Host) {
			out = append(out, st.Host)
		}
	}
	return out
}

// commandsIn returns the commands of a plan that change something, and its manual steps, in order.
func commandsIn(p Plan) []string {
	var out []string
	for _, st := range p.Steps {
		if (st.Kind == Exec || st.Kind == Manual) && !slices.Contains(out, st.Command) {
			out = append(out, st.Command)
		}
	}
	return out
}

// placeDifferences returns the differences in how the hosts of both plans are reached.
func placeDifferences(was, is Plan) []string {
	type place struct{ login, address, via string }
	at := func(p Plan) map[string]place {
		m := map[string]place{}
		for _, st := range p.Steps {
			m[st.Host] = place{st.Login, st.Address, st.Via}
		}
		return m
	}
	before, now := at(was), at(is)
	var out []string
	for _, h := range hostsIn(is) {
		b, known := before[h]
		n := now[h]
		if known && b.login != n.login {
			out = append(out, fmt.Sprintf("on %s as %s, was %s", h, n.login, b.login))
		}
		if known && b.address != n.address {
			out = append(out, fmt.Sprintf("%s is at %s, was at %s", h, n.address, b.address))
		}
		if known && b.via != n.via {
			out = append(out, fmt.Sprintf("%s is reached %s, was reached %s", h, byWay(n.via), byWay(b.via)))
		}
	}
	return out
}

// waitDifferences returns how many steps of the newer plan have no equal step in the earlier plan.
// It does not count steps with a new command, because Differences reports every new command.
func waitDifferences(was, is Plan) int {
	alike := func(st Step) string {
		return strings.Join([]string{
			string(st.Kind),
			st.Command,
			string(st.Until),
			string(st.Check),
			st.Timeout.D().String(),
			st.Within.D().String(),
			st.Process,
			st.Member,
		}, "\x00")
	}
	known := map[string]bool{}
	for _, st := range was.Steps {
		known[alike(st)] = true
	}
	commands := commandsIn(was)
	n := 0
	for _, st := range is.Steps {
		isNew := (st.Kind == Exec || st.Kind == Manual) && !slices.Contains(commands, st.Command) // reported already
		if !isNew && !known[alike(st)] {
			n++
		}
	}
	return n
}

// byWay says in words through which jump hosts a host is reached.
func byWay(via string) string {
	if via == "" {
		return "directly"
	}
	return "through " + strings.ReplaceAll(via, ",", ", then ")
}
