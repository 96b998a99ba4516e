package catalogs

import "dhbot/internal/fleet"

// Holds reports whether the process is needed with the given store of access control lists. For
// example, nothing needs MariaDB if etcd stores the ACLs (process-runbooks.md, MariaDB).
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

// Needed returns the ids of all processes that a process depends on, directly or indirectly. They
// are in a valid start order (server-installation-20200121.md:298: "must start first").
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

// Optional reports whether nothing needs a process, because it only serves an ACL store that the
// cluster does not use.
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
