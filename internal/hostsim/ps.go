package hostsim

import (
	"fmt"
	"slices"
	"strings"
)

// ps knows the one form that a host is asked: every pid and nothing else. The
// world's clock has been brought up to date before.
func (c *call) ps(args []string) answer {
	if !slices.Equal(args, []string{"-e", "-o", "pid="}) {
		return notSimulated("ps " + strings.Join(args, " "))
	}
	pids := []int{1}
	for _, p := range c.host.procs {
		pids = append(pids, p.pid)
	}
	for _, u := range c.host.units {
		pids = append(pids, u.pid)
	}
	slices.Sort(pids)
	var out strings.Builder
	for _, pid := range slices.Compact(pids) {
		if pid != 0 {
			fmt.Fprintf(&out, "%7d\n", pid)
		}
	}
	return answer{out: out.String()}
}
