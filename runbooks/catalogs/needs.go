package catalogs

import "dhbot/internal/fleet"

// Holds says that a need exists where the access control lists live in acls
// (process-runbooks.md, MariaDB: "If etcd is used for ACLs, then this process
// is not necessary").
func (n Need) Holds(acls fleet.ACLStore) bool {
	switch n.When {
	case Always:
		return true
	case ACLsInEtcd:
		return acls == fleet.ACLsInEtcd
	case ACLsInMySQL:
		return acls == fleet.ACLsInMySQL
	default:
		return true // loading lets nothing else through; a need too many hides nothing
	}
}

// Needed are the ids of the processes that a process needs, directly or
// through others, in an order in which they can be started: what has to be up
// first stands first (server-installation-20200121.md:298: "must start first").
func (c *Catalog) Needed(id string, acls fleet.ACLStore) []string {
	var out []string
	seen := map[string]bool{id: true} // a circle of a site's own making ends here
	var visit func(id string)
	visit = func(id string) {
		p, ok := c.Process(id)
		if !ok {
			return
		}
		for _, n := range p.Needs {
			if n.Holds(acls) && !seen[n.Process] {
				seen[n.Process] = true
				visit(n.Process)
				out = append(out, n.Process)
			}
		}
	}
	visit(id)
	return out
}

// Optional says that a process is there for one store of access control lists,
// and the lists live in another, so that nothing needs it.
func (c *Catalog) Optional(id string, acls fleet.ACLStore) bool {
	named := false
	for i := range c.processes {
		for _, n := range c.processes[i].Needs {
			switch {
			case n.Process != id:
			case n.Holds(acls):
				return false
			default:
				named = true
			}
		}
	}
	return named
}
