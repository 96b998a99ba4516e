package card_test

import (
	"fmt"

	"dhbot/internal/card"
	"dhbot/internal/test/cardtest"
)

// show prints the push text of a card, and the card as a terminal shows it.
func show(name string) {
	for _, s := range cardtest.All() {
		if s.Name == name {
			fmt.Printf("🔔 %s\n\n%s", s.Card.Push, card.PlainText(s.Card))
			return
		}
	}
	fmt.Println("there is no card called", name)
}

// An approver's view of a Sev 1 restart.
func ExampleRun() {
	show("approval")
	// Output:
	// 🔔 🔴 Sev 1 · Critical · Approval needed · restart db_dis on infra-1 · prod · operator asks: “disk was full, freed 40 GB” · R-7F3K
	//
	// 🔴 Sev 1 · Critical · Approval needed · restart db_dis on infra-1 · prod
	// Asked by @operator: “disk was full, freed 40 GB”
	// R-7F3K · 1 approval needed · expires 14:22 UTC
	// What runs on infra-1 as dhops
	// 1  sudo -u irisadmin monit restart db_dis
	// 2  wait until up with a new pid (at most 3 min)
	// Impact during the run: Binary logs are not written to the database, and binary store imports fail.
	// [Approve] [Deny…] [Details]
	// asked 14:07 UTC · plan 7f3a9c · 1 record
}

// One of three hosts with the same process is the target.
func ExampleRun_lookAlike() {
	show("approval-look-alike")
	// Output:
	// 🔔 🔴 Sev 1 · Critical · Approval needed · restart db_query_server on query-1 · prod · operator asks · R-7F3K
	//
	// 🔴 Sev 1 · Critical · Approval needed · restart db_query_server on query-1 · prod
	// Asked by @operator · no reason given
	// R-7F3K · 1 approval needed · expires 14:22 UTC
	// What runs on query-1 as dhops
	// 1  sudo -u irisadmin monit restart db_query_server
	// 2  wait until up with a new pid (at most 3 min)
	// Impact during the run: Every running query worker ends and none can start: all persistent queries and all consoles of this server.
	// ⚠️ Not part of this run: db_query_server on query-2, query-3
	// [Approve] [Deny…] [Details]
	// asked 14:07 UTC · plan 7f3a9c · 1 record
}

// The same message after success.
func ExampleRun_done() {
	show("done")
	// Output:
	// 🔔 ✅ Done in 41 s · restart db_dis on infra-1 · prod · Sev 1 · Critical · pid 40211 → 51877 · ready: RUNNING in its log, no errors since · R-7F3K
	//
	// ✅ Done in 41 s · restart db_dis on infra-1 · prod · Sev 1 · Critical
	// pid 40211 → 51877 · ready: RUNNING in its log, no errors since
	// ✅ infra-1: sudo -u irisadmin monit restart db_dis — accepted
	// Asked by @operator: “disk was full, freed 40 GB”
	// R-7F3K · asked @operator 14:07 UTC · approved @approver 14:07 UTC · started 14:07 UTC · ended 14:08 UTC · plan 7f3a9c · 12 records
}

// The connection was lost during the restart. The bot does not guess the
// outcome, and explains what a person has to do.
func ExampleRun_unknown() {
	show("unknown")
	// Output:
	// 🔔 ❓ Outcome unknown · restart db_dis on infra-1 · prod · Sev 1 · Critical · unknown whether it ran: the connection was lost. Checked at 14:08 UTC: monit: "OK", pid 51877 · R-7F3K
	//
	// ❓ Outcome unknown · restart db_dis on infra-1 · prod · Sev 1 · Critical
	// Checked at 14:08 UTC: monit: "OK", pid 51877
	// ✅ check that monit answers and monitors the process — answers: monit: "OK", pid 40211
	// ❓ sudo -u irisadmin monit restart db_dis — unknown whether it ran: the connection was lost
	// – wait until up with a new pid — not done
	// – wait for RUNNING in its log — not done
	// The target stays locked until an approver other than operator has checked it and types close R-7F3K WHAT YOU FOUND
	// Asked by @operator: “disk was full, freed 40 GB”
	// [Status now]
	// R-7F3K · asked @operator 14:07 UTC · approved @approver 14:07 UTC · started 14:07 UTC · plan 7f3a9c · 5 records
}

// A process that is down: severity, reason, impact and next actions.
func ExampleStatus() {
	show("status-down")
	// Output:
	// 🔔 🔴 Sev 1 · Critical · Down when it should be up · db_dis on infra-1 · prod
	//
	// 🔴 Sev 1 · Critical · Down when it should be up · Data Import Server (db_dis) on infra-1 · prod
	// monit: "Execution failed". The process could not be started; the supervisor may try again; the supervisor's log on the host has the reason
	// Impact: Binary logs are not written to the database, and binary store imports fail.
	// [Restart on infra-1…] [Logs, 30 min] [Dependencies] [👁 Watch]
	// sudo -u irisadmin monit status db_dis on infra-1
	// as of 14:06 UTC
}

// A cluster with failures: the worst first, then one line for each host that is
// as expected, and one for each that did not answer.
func ExampleStatus_cluster() {
	show("board-trouble")
	// Output:
	// 🔔 🔴 Sev 1 · Critical · prod: 1 critical, 2 unknown, 1 low, 2 as expected
	//
	// 🔴 Sev 1 · Critical · prod · 1 critical, 2 unknown, 1 low, 2 as expected
	// 🔴 db_dis on infra-1 · Sev 1 · Critical · Down when it should be up · open run: R-7F3K
	// 🟡 db_ltds on infra-1 · Sev 3 · Low · Port not answering
	// ⚪🔴 2 unknown on query-2, could be up to Sev 1 · Critical: db_query_server, tailer1 — could not connect to query-2: i/o timeout
	// 🟢 query-1 · 2 as expected
	// [db_dis] [db_ltds] [👁 Watch]
	// as of 14:06 UTC
}

// An unknown name runs nothing.
func ExampleDidYouMean() {
	show("did-you-mean")
	// Output:
	// 🔔 🤔 I don't know “db_diss” in prod. Did you mean restart db_dis?
	//
	// 🤔 I don't know “db_diss” in prod.
	// Nothing was run. Did you mean:
	// restart db_dis
	// [restart db_dis…]
}
