package runbooks

import (
	"cmp"
	"fmt"
	"strings"
	"time"
)

func Example_differences() {
	restart := func(digest string, hosts ...string) Plan {
		p := Plan{Digest: digest}
		for _, h := range hosts {
			for _, st := range []Step{
				{Kind: Exec, Command: "sudo -u irisadmin monit restart db_dis", Timeout: Duration(20 * time.Second)},
				{Kind: Wait, Until: Restarted, Within: Duration(3 * time.Minute)},
			} {
				st.Host, st.Address, st.Login = h, h+":22", "dhops"
				p.Steps = append(p.Steps, st)
			}
		}
		return p
	}
	tell := func(name string, was, is Plan) {
		fmt.Printf("%s: %s\n", name, cmp.Or(strings.Join(Differences(was, is), "; "), "nothing"))
	}
	was := restart("a", "infra-1")
	tell("same", was, restart("a", "infra-1"))
	tell("another host", was, restart("b", "infra-1", "query-1"))
	tell("one host fewer", restart("b", "infra-1", "query-1"), was)
	is := restart("c", "infra-1")
	is.Steps[0].Command = "sudo -u irisadmin monit stop db_dis"
	tell("another command", was, is)
	is = restart("d", "infra-1")
	for i := range is.Steps {
		is.Steps[i].Login, is.Steps[i].Address = "root", "10.0.0.9:22"
	}
	tell("another login", was, is)
	is = restart("e", "infra-1")
	is.Steps[1].Within = Duration(5 * time.Minute)
	tell("another time-out", was, is)
	is = restart("f", "infra-1")
	is.Severity = Critical
	tell("only the severity", was, is)
	// Output:
	// same: nothing
	// another host: also on query-1
	// one host fewer: not on query-1
	// another command: new: sudo -u irisadmin monit stop db_dis; removed: sudo -u irisadmin monit restart db_dis
	// another login: on infra-1 as root, was dhops; infra-1 is at 10.0.0.9:22, was at infra-1:22
	// another time-out: other time-outs, checks or guards in 1 of 2 steps
	// only the severity: details of the plan that are not listed here
}
