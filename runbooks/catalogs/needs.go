package catalogs

import "dhbot/internal/fleet"

// Holds reports whether a need exists for the given store of access control lists
// (process-runbooks.md, MariaDB: "If etcd is used for ACLs, then this process is not
// necessary").
func (n Need) Holds(acls fleet.ACLStore) bool {
	switch n.When {
	case Always:
		return true
	case ACLsInEtcd:
		return acls == fleet.ACLsInEtcd
	case ACLsInMySQL:
		return acls == fleet.ACLsInMySQL
	default:
		return true // loading allows no other value; an extra need is safe
	}
}

// Needed returns the ids of the direct and indirect dependencies of a process, in a valid
// start order (server-installation-20200121.md:298: "must start first").
func (c *Catalog) Needed(id string, acls fleet.ACLStore) []string {
	var out []string
	seen := map[string]bool{id: true} // ends a cycle in a site's own catalog
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

// Optional reports whether a process serves only a store of access control lists that is
// not in use, so nothing needs it.
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
