package etcd

import (
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strings"
)

// hostPort is an endpoint without its scheme: etcdctl accepts host:port as well as a URL.
func hostPort(endpoint string) string {
	if u, err := url.Parse(endpoint); err == nil && u.Host != "" {
		return u.Host
	}
	return strings.TrimSuffix(endpoint, "/")
}

// hostOf is the host of an endpoint, in lower case.
func hostOf(endpoint string) string {
	host := hostPort(endpoint)
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	return strings.ToLower(strings.Trim(strings.TrimSuffix(host, "."), "[]"))
}

// sameHost reports whether two names are equal, or have the same address.
func sameHost(a, b string) bool {
	if a == "" || b == "" {
		return false
	}
	if strings.EqualFold(strings.TrimSuffix(a, "."), strings.TrimSuffix(b, ".")) {
		return true
	}
	x, errX := netip.ParseAddr(a)
	y, errY := netip.ParseAddr(b)
	return errX == nil && errY == nil && x.Unmap() == y.Unmap()
}

// anyHost reports whether one of the names is one of the hosts.
func anyHost(hosts, names []string) bool {
	return slices.ContainsFunc(hosts, func(host string) bool {
		return slices.ContainsFunc(names, func(name string) bool { return sameHost(host, name) })
	})
}

// Find returns the index of the first row that has one of the names, which are separated by
// spaces. If no row has one of the names, Find compares only the first labels of the names, and
// exactly one row must match. Otherwise Find returns -1.
func Find[R any](rows []R, hosts func(R) []string, names string) int {
	wanted := strings.Fields(names)
	if i := slices.IndexFunc(rows, func(row R) bool { return anyHost(hosts(row), wanted) }); i >= 0 {
		return i
	}
	label := func(name string) string {
		if _, err := netip.ParseAddr(name); err == nil {
			return ""
		}
		first, _, _ := strings.Cut(name, ".")
		return first
	}
	short := func(all []string) (out []string) {
		for _, name := range all {
			out = append(out, label(name))
		}
		return out
	}
	at := -1
	for i, row := range rows {
		switch {
		case !anyHost(short(hosts(row)), short(wanted)):
		case at >= 0:
			return -1
		default:
			at = i
		}
	}
	return at
}
