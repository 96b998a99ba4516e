package handlers

import (
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"dhbot/internal/card"
	"dhbot/internal/fleet"
)

func paramText(params map[string]string) string {
	var parts []string
	for _, k := range slices.Sorted(maps.Keys(params)) {
		parts = append(parts, k+"="+params[k])
	}
	return strings.Join(parts, " ")
}

// signed is an answer to a call that others see, which says whose it was.
func (c *call) signed(out card.Card) card.Card {
	if c.Alone || c.Via != Slash && c.Via != Button {
		return out
	}
	return card.AskedBy(out, c.who.Name)
}

// readLength reads how long something lasts: 90m, 2h, 1h30m, 2d.
func readLength(s string) (time.Duration, bool) {
	if m := days.FindStringSubmatch(s); m != nil {
		n, err := strconv.Atoi(m[1])
		return time.Duration(n) * 24 * time.Hour, err == nil
	}
	d, err := time.ParseDuration(s)
	return d, err == nil
}

func hostName(h *fleet.Host) string {
	if h == nil {
		return ""
	}
	return h.Name
}

var days = regexp.MustCompile(`^([1-9][0-9]?)d$`)
