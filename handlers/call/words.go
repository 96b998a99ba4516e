package call

import (
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"dhbot/runbooks/catalogs"

	"dhbot/internal/card"
	"dhbot/internal/fleet"
)

func ParamText(params map[string]string) string {
	var parts []string
	for _, k := range slices.Sorted(maps.Keys(params)) {
		parts = append(parts, k+"="+params[k])
	}
	return strings.Join(parts, " ")
}

// Signed adds the requester's name to an answer that others see.
func (c *Call) Signed(out card.Card) card.Card {
	if c.Alone || c.Via != Slash && c.Via != Button {
		return out
	}
	return card.AskedBy(out, c.Who.Name)
}

// ReadLength parses a duration: 90m, 2h, 1h30m, 2d.
func ReadLength(s string) (time.Duration, bool) {
	if m := days.FindStringSubmatch(s); m != nil {
		n, err := strconv.Atoi(m[1])
		return time.Duration(n) * 24 * time.Hour, err == nil
	}
	d, err := time.ParseDuration(s)
	return d, err == nil
}

func HostName(h *fleet.Host) string {
	if h == nil {
		return ""
	}
	return h.Name
}

var days = regexp.MustCompile(`^([1-9][0-9]?)d$`)

func HostNamesOf(c *Call, p *catalogs.Process) []string {
	var out []string
	for _, h := range c.Cluster.HostsOf(p.ID) {
		out = append(out, h.Name)
	}
	return out
}
