package app

import (
	"cmp"
	"fmt"

	"dhbot/internal/config"
	"dhbot/internal/sshexec/hostkey"
	"dhbot/internal/sshroute"
	"dhbot/internal/strictyaml"
)

// CheckKnownHosts reads the known_hosts file without dialling: it lists skipped lines, and
// hosts and jump hosts without a key. All are warnings: the bot runs without the keys, and
// cannot reach those hosts.
func CheckKnownHosts(cfg *config.Config) strictyaml.Problems {
	file := cfg.SSH.KnownHosts
	names := map[hostkey.Host]string{}
	var hosts []hostkey.Host
	add := func(at sshroute.Place, name string) {
		h := hostkey.Host{Address: at.Address, Alias: cfg.SSH.Options[at].Alias}
		if _, twice := names[h]; !twice {
			names[h] = name
			hosts = append(hosts, h)
		}
	}
	for _, cl := range cfg.Fleet.Clusters {
		for _, h := range cl.Hosts {
			name := "clusters." + cl.Name + ".hosts." + h.Name
			for _, jump := range sshroute.Jumps(h.Via) {
				add(jump, name+" (its jump host)")
			}
			add(sshroute.Place{Address: h.Address, Via: h.Via}, name)
		}
	}
	skipped, without, err := hostkey.Without(file, hosts)
	if err != nil {
		return strictyaml.Problems{{
			File:    file,
			Key:     "ssh.known_hosts",
			What:    err.Error(),
			Instead: "correct ssh.known_hosts or the file, which needs the keys of the hosts",
			Warning: true,
		}}
	}
	var problems strictyaml.Problems
	for _, s := range skipped {
		problems = append(
			problems, strictyaml.Problem{
				File:    file,
				Line:    s.Line,
				Column:  1,
				What:    "skipped: " + s.Why,
				Instead: "correct or remove the line",
				Warning: true,
			},
		)
	}
	for _, h := range without {
		problems = append(problems, strictyaml.Problem{
			File: file, Key: names[h], Warning: true,
			What:    fmt.Sprintf("no key of %s, so the bot will not connect to it", cmp.Or(h.Alias, h.Address)),
			Instead: "compare the key on the host with the output of `bot hostkeys`. If they match, add the line that it prints to known_hosts",
		})
	}
	return problems
}
