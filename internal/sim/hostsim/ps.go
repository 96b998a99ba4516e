package hostsim

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// psPID is the pid of ps itself, because ps also lists itself.
const psPID = 4_000_000

// ps implements the two forms of ps that the bot uses. It lists every pid, alone or with the age in
// seconds and the start time. The caller has advanced the model.
func (c *call) ps(args []string) answer {
	form := ""
	if len(args) == 3 && args[0] == "-e" && args[1] == "-o" {
		form = args[2]
	}
	if form != "pid=" && form != "pid=,etimes=,lstart=" {
		return notSimulated("ps " + strings.Join(args, " "))
	}
	type entry struct {
		pid  int
		born time.Time
	}
	list := []entry{{1, c.host.booted}, {psPID, c.world.now}}
	for _, p := range c.host.procs {
		list = append(list, entry{p.pid, p.born})
	}
	for _, u := range c.host.units {
		list = append(list, entry{u.pid, u.since})
	}
	slices.SortFunc(list, func(a, b entry) int { return cmp.Compare(a.pid, b.pid) })
	var out strings.Builder
	for _, e := range slices.CompactFunc(list, func(a, b entry) bool { return a.pid == b.pid }) {
		switch {
		case e.pid == 0:
		case form == "pid=":
			fmt.Fprintf(&out, "%7d\n", e.pid)
		default:
			fmt.Fprintf(&out, "%7d %7d %s\n", e.pid, int(c.world.now.Sub(e.born).Seconds()), e.born.UTC().Format("Mon Jan _2 15:04:05 2006"))
		}
	}
	return answer{out: out.String()}
}
