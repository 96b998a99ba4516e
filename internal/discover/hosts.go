package discover

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"

	"dhbot/internal/fleet"
	"dhbot/internal/remote"
	"dhbot/runbooks/catalogs"
)

// Hosts finds the processes of several hosts concurrently. It joins the errors of all hosts.
func Hosts(ctx context.Context, r remote.Runner, cat *catalogs.Catalog, hosts []fleet.Host) ([]Found, error) {
	found, errs := make([]Found, len(hosts)), make([]error, len(hosts))
	var wg sync.WaitGroup
	for i, h := range hosts {
		wg.Go(func() {
			if found[i], errs[i] = Host(ctx, r, cat, h); errs[i] != nil {
				errs[i] = fmt.Errorf("%s: %w", h.Name, errs[i])
			}
		})
	}
	wg.Wait()
	return found, errors.Join(errs...)
}

// ParseHost parses NAME=ADDRESS, or an address that is also the name.
func ParseHost(text, login string) fleet.Host {
	name, address, named := strings.Cut(text, "=")
	if !named {
		address = text
	}
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		host, address = address, net.JoinHostPort(address, "22")
	}
	if !named {
		if name = host; net.ParseIP(host) == nil {
			name, _, _ = strings.Cut(host, ".")
		}
	}
	return fleet.Host{Name: name, Address: address, Login: login}
}
