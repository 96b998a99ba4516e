package hostsim

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// short formats a journal line as systemctl and journalctl print it.
func (l journalLine) short(host string) string {
	return fmt.Sprintf("%s %s %s: %s\n", l.at.UTC().Format("Jan 02 15:04:05"), host, l.from, l.text)
}

// journalctl prints the journal of a unit. It supports -u, -n, -o short-iso, and --since with an
// absolute time. It does not support -f.
func (c *call) journalctl(args []string) answer {
	var name, format, since string
	limit := -1
	for i := 0; i < len(args); i++ {
		a, value, joined := strings.Cut(args[i], "=")
		switch a {
		case "--no-pager", "--utc", "-x", "-q":
			continue
		case "-xu":
			a = "-u"
		}
		if !joined {
			if i++; i >= len(args) {
				return answer{err: "journalctl: option requires an argument -- '" + strings.TrimLeft(a, "-") + "'\n", exit: 1}
			}
			value = args[i]
		}
		switch a {
		case "-u", "--unit":
			name = strings.TrimSuffix(value, ".service")
		case "-o", "--output":
			format = value
		case "-S", "--since":
			since = value
		case "-n", "--lines":
			n, err := strconv.Atoi(value)
			if err != nil || n < 0 {
				return answer{err: "Failed to parse lines '" + value + "'\n", exit: 1}
			}
			limit = n
		default:
			return notSimulated("journalctl " + a)
		}
	}
	from, err := time.Parse("2006-01-02 15:04:05 MST", since)
	if since != "" && err != nil {
		return answer{err: "Failed to parse timestamp: " + since + "\n", exit: 1}
	}
	return c.journal(name, format, from, limit)
}

func (c *call) journal(name, format string, from time.Time, limit int) answer {
	const none = "-- No entries --\n"
	u := c.systemdUnit(name)
	if c.user != "root" {
		return answer{out: none, err: "Hint: You are currently not seeing messages from other users and the system.\n      Users in groups 'adm', 'systemd-journal' can see all messages.\n      Pass -q to turn off this notice.\n"}
	}
	if u == nil {
		return answer{out: none}
	}
	var lines []string
	for _, l := range u.journal {
		switch {
		case l.at.Before(from):
		case format == "short-iso":
			lines = append(lines, fmt.Sprintf("%s %s %s: %s\n", l.at.UTC().Format("2006-01-02T15:04:05-0700"), c.host.name, l.from, l.text))
		default:
			lines = append(lines, l.short(c.host.name))
		}
	}
	if limit >= 0 {
		lines = lines[max(0, len(lines)-limit):]
	}
	if len(lines) == 0 {
		return answer{out: none}
	}
	return answer{out: strings.Join(lines, "")}
}
