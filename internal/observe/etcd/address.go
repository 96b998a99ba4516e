package etcd

import (
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strings"
)

// hostPort returns an endpoint without its scheme. An endpoint of etcdctl may be host:port or a
// URL.
func hostPort(endpoint string) string {
	if u, err := url.Parse(endpoint); err == nil && u.Host != "" {
		return u.Host
	}
	return strings.TrimSuffix(endpoint, "/")
}

// hostOf returns the host of an endpoint, in lower case.
func hostOf(endpoint string) string {
	host := hostPort(endpoint)
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	return strings.ToLower(strings.Trim(strings.TrimSuffix(host, "."), "[]"))
}

// sameHost reports whether two hosts are the same name, ignoring case, or the same IP address.
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

// anyHost reports whether hosts and names have a host in common.
func anyHost(hosts, names []string) bool {
	return slices.ContainsFunc(hosts, func(host string) bool {
		return slices.ContainsFunc(names, func(name string) bool { return sameHost(host, name) })
	})
}

// Find returns the index of the first row that has one of the names. The names are separated by
// spaces. If no row has one, Find compares only the first label of each name, such as "a" of
// "a.example.com", and returns the row only if no other row matches. Otherwise it returns -1.
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
