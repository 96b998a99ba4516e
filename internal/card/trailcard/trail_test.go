package trailcard_test

import (
	"fmt"
	"strings"
	"time"

	"dhbot/internal/audit"
	"dhbot/internal/card"
	"dhbot/internal/card/trailcard"
)

func ExampleTimeline() {
	at := func(clock string) time.Time {
		t, err := time.Parse(time.DateTime, "2026-11-21 "+clock)
		if err != nil {
			fmt.Println(err)
		}
		return t
	}
	var trail []audit.Sealed
	add := func(clock string, r audit.Record) {
		r.At, r.Cluster = at(clock), "prod"
		trail = append(trail, audit.Sealed{N: uint64(len(trail) + 1), Record: r})
	}
	run := func(clock string, kind audit.Kind, person, text string) {
		add(clock, audit.Record{Kind: kind, Run: "R-7F3K", Person: person, Action: "restart", Target: "db_dis on infra-1", Host: "infra-1", Severity: "Sev 1 · Critical", Text: text})
	}
	look := func(clock, severity string) {
		add(clock, audit.Record{Kind: audit.ReadDone, Person: "anna", Action: "status", Target: "db_dis", Severity: severity})
	}
	look("13:40:00", "Sev 0 · None")
	look("14:02:11", "Sev 1 · Critical")
	look("14:03:00", "Sev 1 · Critical")
	run("14:06:02", audit.Requested, "anna", "disk was full, freed 40 GB")
	add("14:06:30", audit.Record{Kind: audit.Refused, Person: "anna", Text: "Not allowed: this is anna's own request; another approver has to do this."})
	run("14:07:01", audit.Reminded, "", "reminder 1 of 3, called ben, chris")
	run("14:07:05", audit.Looking, "ben", "")
	run("14:07:09", audit.Approved, "ben", "vote 1 of 1")
	run("14:07:10", audit.Started, "", "carried out by bot")
	run("14:07:12", audit.StepStarted, "", "wait until up with a new pid")
	run("14:07:53", audit.StepEnded, "", "pid 40211 → 51877")
	add("14:07:53", audit.Record{Kind: audit.Ended, Run: "R-7F3K", Outcome: "done"})
	look("14:09:00", "Sev 0 · None")
	c, story := trailcard.Timeline("prod", at("13:00:00"), at("15:00:00"), trail, 0)
	fmt.Print(card.PlainText(c), len(story))
	// Output:
	// 🕓 Timeline · prod · 2026-11-21 13:00 – 2026-11-21 15:00 UTC
	// 2026-11-21 14:02:11  db_dis was seen at Sev 1 · Critical (status by anna)
	//            14:06:02  anna asked for R-7F3K: restart db_dis on infra-1 (Sev 1 · Critical): “disk was full, freed 40 GB”
	//            14:06:30  anna was refused: Not allowed: this is anna's own request; another approver has to do this.
	//            14:07:01  R-7F3K still waits for approvals: reminder 1 of 3, called ben, chris
	//            14:07:05  ben is looking at R-7F3K
	//            14:07:09  ben approved R-7F3K
	//            14:07:10  R-7F3K started: carried out by bot
	//            14:07:53  R-7F3K, infra-1: wait until up with a new pid: pid 40211 → 51877
	//            14:07:53  R-7F3K done
	//            14:09:00  db_dis was seen at Sev 0 · None (status by anna)
	// 0
}

func ExampleAudit() {
	var trail []audit.Sealed
	for i := range 14 {
		at := time.Date(2026, 11, 21, 14, i, 0, 0, time.UTC)
		trail = append(trail, audit.Sealed{N: uint64(i + 1), Record: audit.Record{At: at, Kind: audit.Approved, Run: "R-7F3K", Person: "ben", Action: "restart", Target: "db_dis on infra-1"}})
	}
	c, whole := trailcard.Audit("ben", time.Date(2026, 11, 20, 15, 0, 0, 0, time.UTC), trail, 3)
	lines := strings.Split(strings.TrimSpace(card.PlainText(c)), "\n")
	fmt.Println(lines[0])
	fmt.Println(lines[1])
	fmt.Println(strings.Join(lines[len(lines)-2:], "\n"))
	fmt.Println(whole)
	// Output:
	// 🧾 Audit · ben · 17 entries since 2026-11-20 15:00 UTC
	// #3 14:02 UTC R-7F3K approved · ben · restart · db_dis on infra-1
	// The newest 12; the file has 14.
	// 3 older entries are left out: request a shorter period, or run bot audit show on the bot's machine.
	// false
}
