package observe

import (
	"regexp"
	"strconv"
	"time"
)

// spanUnits are the units of uptimes of monit ("1h 2m", whole minutes) and of systemd ("1h 36min",
// "2 weeks 3 days").
var spanUnits = map[string]time.Duration{
	"d": 24 * time.Hour, "day": 24 * time.Hour, "days": 24 * time.Hour, "h": time.Hour, "m": time.Minute, "min": time.Minute,
	"s": time.Second, "ms": time.Millisecond, "us": time.Microsecond, "week": 7 * 24 * time.Hour, "weeks": 7 * 24 * time.Hour,
	"month": 30 * 24 * time.Hour, "months": 30 * 24 * time.Hour, "year": 365 * 24 * time.Hour, "years": 365 * 24 * time.Hour,
}

var spanPart = regexp.MustCompile(`^(\d{1,6}) ?([a-z]+)(?: |$)`)

// AtLeast parses an uptime. It returns the shortest duration that the text can mean.
func AtLeast(uptime string) (time.Duration, bool) {
	var total time.Duration
	for rest := uptime; rest != ""; {
		m := spanPart.FindStringSubmatch(rest)
		if m == nil || spanUnits[m[2]] == 0 {
			return 0, false
		}
		n, err := strconv.Atoi(m[1])
		if err != nil || n > 100_000 {
			return 0, false
		}
		total += time.Duration(n) * spanUnits[m[2]]
		rest = rest[len(m[0]):]
	}
	return total, uptime != ""
}
