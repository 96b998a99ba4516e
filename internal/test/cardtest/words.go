package cardtest

import (
	"slices"
	"strings"
	"time"

	"dhbot/auth"
	"dhbot/internal/audit"
	"dhbot/internal/card"
	"dhbot/internal/card/outputcard"
	"dhbot/internal/card/runcard"
	"dhbot/internal/card/trailcard"
	"dhbot/internal/command"
	"dhbot/internal/engine"
	"dhbot/runbooks"
)

func wordSamples() []Sample {
	open := []engine.Stored{{Run: restart("db_dis", "infra-1")}, {Run: after(restart("db_query_server", "query-1", "query-2"), 2)}}
	past := []engine.Stored{{Run: ended(after(restart("db_ltds", "infra-1"), 4), engine.Done, "")}}
	held := []engine.Lock{{Name: "prod/db_dis", Run: "R-7F3K", Reason: "restart db_dis", Since: now.Add(-12 * time.Minute).UnixMilli()}}
	lost := restart("db_dis", "infra-1")
	lost.State = engine.Unknown
	stuck := []engine.Stored{{Run: lost}}
	verbs := []card.HelpRow{helpRow("status"), helpRow("restart"), helpRow("approve")}
	long, _ := outputcard.Output(outputcard.Reading{Title: "logs of db_dis", Cluster: "prod", At: now, Parts: []outputcard.Answer{{
		Host: "infra-1", Title: "application log", Command: "tail -n 200 /var/log/deephaven/db_dis/DataImportServer.log.current", OK: true,
		Text: strings.Repeat("[2026-03-13T23:59:58.956532-0500] - INFO - checkpoint written\n", 8) +
			"[2026-03-14T00:00:02.000101-0500] - ERROR - No space left on device\n\tat java.io.FileOutputStream.write(FileOutputStream.java:313)\n" +
			strings.Repeat("[2026-03-14T00:00:03.114200-0500] - INFO - "+strings.Repeat("retrying the write ", 12)+"\n", 8),
		Errors: 1, At: now,
	}}})
	logs, _ := outputcard.Output(outputcard.Reading{Title: "logs of db_dis", Cluster: "prod", At: now, Parts: []outputcard.Answer{{
		Host: "infra-1", Title: "application log", Command: "tail -n 200 /var/log/deephaven/db_dis/DataImportServer.log.current", OK: true,
		Text: "[2026-03-14T14:01:58] - INFO - checkpoint written\n[2026-03-14T14:02:11] - ERROR - No space left on device", Errors: 1, FirstError: "No space left on device", At: now,
	}}})
	return []Sample{
		{"refusal", card.Refusal(lacksRole().Error())},
		{"did-you-mean", card.Question(&command.Question{Code: command.UnknownName, Text: "I don't know “db_diss” in prod.", Choices: []command.Choice{
			{Text: "restart db_dis", Fields: command.On("restart", "db_dis", "", "prod"), Changes: true},
		}})},
		{"looking", runcard.Looking(restart("db_dis", "infra-1"))},
		{"not-understood", card.DidYouMean("I don't know the command “frobnicate”.", nil)},
		{"home-request", runcard.Request(called())},
		{"runs", runcard.Runs(open, past)},
		{"people", card.People("prod", []card.Member{
			{Person: "operator", Roles: []string{"operators"}}, {Person: "approver", Roles: []string{"approvers", "data"}},
			{Person: "approver2", Roles: []string{"approvers"}, Gone: "the account T1/U2 is deactivated"}, {Person: "reader", Roles: []string{"readers"}, Unknown: true},
		})},
		{"locks", runcard.Locks(held, open, now)},
		{"locks-stuck", runcard.Locks(held, stuck, now)},
		{"locks-none", runcard.Locks(nil, nil, now)},
		{"help", card.Help([]card.HelpGroup{
			{Title: "Most used", Rows: verbs},
			{Title: "Change", Compact: true, Rows: []card.HelpRow{{Verb: "backup"}, {Verb: "etcd-snapshot"}}},
		}, "prod")},
		{"help-verb", card.HelpVerb(card.HelpTopic{HelpRow: verbs[1], Takes: "Needs the approval of another person at Sev 1; runs at once at Sev 2 and 3.",
			Processes: []string{"db_dis", "db_ltds"}})},
		{"help-params", card.HelpVerb(card.HelpTopic{
			HelpRow: card.HelpRow{Verb: "backup-retain", Summary: "back the configuration up, and delete old backups", Usage: "backup-retain [parts=PARTS] days=DAYS [because REASON]", Example: "backup-retain days=30"},
			Params: []card.HelpParam{
				{Name: "parts", Help: "what to back up, joined by commas", Values: "one or more of: all,etcd,ACLs", Default: "all"},
				{Name: "days", Help: "backups older than this many days are deleted", Values: "1 to 365"},
			},
			Takes: "Needs the approval of 2 other people, who type the target's name.", MayNot: "You don't have the role for this command in prod.",
		})},
		{"help-process", card.HelpProcess(processes["db_dis"], []string{"infra-1"})},
		{"logs", logs},
		{"logs-long", long},
		{"trail", trailcard.Trail(trail())},
		{"trail-thread", trailcard.TrailOf(trail()[1:])},
	}
}

// helpRow returns the row of a verb in the command table.
func helpRow(verb string) card.HelpRow {
	table := command.Table()
	c := table[slices.IndexFunc(table, func(c command.Command) bool { return c.Verb == verb })]
	return card.HelpRow{Verb: c.Verb, Summary: c.Summary, Usage: c.Usage, Example: c.Example, Aliases: strings.Join(c.Aliases, ", ")}
}

// lacksRole returns the refusal of a vote by a person who is not an approver.
func lacksRole() error {
	reader := auth.Person{Name: "reader"}
	rules := auth.Rules{
		People:   []auth.Person{reader, {Name: operator.Person}},
		Clusters: map[string]auth.Roles{"prod": {auth.Approver: {approver.Person}}},
	}
	return rules.MayVote(reader, operator.Person, "prod", runbooks.Disruptive)
}

func trail() []audit.Sealed {
	record := func(kind audit.Kind, r audit.Record) audit.Record {
		r.Kind, r.At, r.Run, r.Cluster, r.Action, r.Target = kind, now, "R-7F3K", "prod", "restart", "db_dis on infra-1"
		return r
	}
	records := []audit.Record{
		record(audit.Requested, audit.Record{Person: "operator", Via: "slash", Text: "disk was full, freed 40 GB"}),
		record(audit.Approved, audit.Record{Person: "approver", Via: "button", Text: "vote 1 of 1"}),
		record(audit.StepStarted, audit.Record{Step: 2, Host: "infra-1", Command: "sudo -n -u irisadmin monit restart db_dis"}),
		record(audit.StepEnded, audit.Record{Step: 2, Host: "infra-1", Outcome: "answered", Text: "accepted"}),
		record(audit.Ended, audit.Record{Outcome: "done"}),
	}
	var out []audit.Sealed
	for i, r := range records {
		out = append(out, audit.Sealed{N: uint64(1289 + i), Hash: strings.Repeat("a1b2c3d4", 8), Record: r})
	}
	return out
}
