package etcd

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"dhbot/internal/remote"
)

// alarmLine matches a line of `alarm list`. An alarm of the whole cluster has no member id.
var alarmLine = regexp.MustCompile(`^(?:memberID:(\d+))?\s*alarm:(\w+)$`)

var alarmNames = []string{"NONE", "NOSPACE", "CORRUPT"}

// ReadAlarms parses the output of `etcdctl alarm list`, as JSON or in etcdctl's simple format. It
// describes each alarm in words, the most serious first. It returns an error if it cannot parse a
// line, so an empty list means that there are no alarms.
func ReadAlarms(r remote.Result) ([]string, error) {
	if r.Exit != 0 {
		return nil, failed(r)
	}
	var list struct {
		Header map[string]any `json:"header"`
		Alarms []struct {
			MemberID uint64 `json:"memberID"`
			Alarm    int    `json:"alarm"`
		} `json:"alarms"`
	}
	var alarms []string
	if noAlarms(r) {
		return nil, nil
	}
	if decode(r, &list, "header", "alarms") == nil {
		for _, a := range list.Alarms {
			name := "number " + strconv.Itoa(a.Alarm)
			if a.Alarm >= 0 && a.Alarm < len(alarmNames) {
				name = alarmNames[a.Alarm]
			}
			alarms = append(alarms, alarmWords(a.MemberID, name))
		}
		return serious(alarms), nil
	}
	for _, line := range unread(r.Stderr) {
		if strings.Contains(line, "alarm:") {
			alarms = append(alarms, line)
		}
	}
	for _, line := range unread(r.Stdout) {
		m := alarmLine.FindStringSubmatch(line)
		switch {
		case m != nil:
			id, _ := strconv.ParseUint(m[1], 10, 64) // digits, or none: 0 is no member
			alarms = append(alarms, alarmWords(id, m[2]))
		case strings.Contains(line, "alarm:"):
			alarms = append(alarms, line)
		default:
			return nil, fmt.Errorf("etcdctl's answer could not be parsed: %s", line)
		}
	}
	return serious(alarms), nil
}

// noAlarms reports whether the answer is the empty JSON object. etcd 3.4 prints it if there are no
// alarms (measured).
func noAlarms(r remote.Result) bool {
	return slices.Contains(unread(r.Stdout), "{}")
}

func alarmWords(member uint64, name string) string {
	what := map[string]string{
		"NOSPACE": ": its file has reached the quota, and the cluster accepts no writes",
		"CORRUPT": ": the members' data differ, and etcd serves no requests",
	}[name]
	if member == 0 {
		return name + " alarm, for the whole cluster (no member named)" + what
	}
	return fmt.Sprintf("%s alarm of memberID:%d (%x)%s", name, member, member, what)
}

// serious moves CORRUPT, the most serious alarm of etcd, to the front.
func serious(alarms []string) []string {
	slices.SortStableFunc(alarms, func(a, b string) int {
		x, y := strings.HasPrefix(a, "CORRUPT"), strings.HasPrefix(b, "CORRUPT")
		switch {
		case x == y:
			return 0
		case x:
			return -1
		default:
			return 1
		}
	})
	return alarms
}
