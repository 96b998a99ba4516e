// Package faulttest breaks the bot on purpose, and checks from outside what
// became of what people asked for. It has tests only.
//
// # A round
//
// A round is a small world: one or several bot processes (the test binary run
// again, which calls app.Run with the very edges of `bot run`), an etcd process
// or the embedded store, a local Slack and simulated hosts that count what they
// execute. People ask, approve, click twice and ask again, as their own tempers
// have it. Meanwhile something goes wrong: each replica reports every crossing
// of one of its edges (before and after each claim, commit, command, post …)
// and waits for leave to go on, so that a fault strikes at exactly that point.
// Then everything is repaired, the round comes to rest, and check.go judges it.
//
// # Running it
//
//	go test ./internal/test/faulttest                                     short, under half a minute
//	DHBOT_FAULT_ROUNDS=1000 go test -timeout 0 ./internal/test/faulttest  every point once, and so many random rounds
//	DHBOT_FAULT_SEED=42 go test -run Random ./internal/test/faulttest     one random round again
//	DHBOT_FAULT_POINT='claim after 1' go test -run Point ./internal/test/faulttest
//	DHBOT_FAULT_RESTORES=1 go test -timeout 0 -run Restores ./internal/test/faulttest
//	DHBOT_FAULT_BROKEN=1 go test -timeout 0 -run Broken ./internal/test/faulttest
//	DHBOT_FAULT_ROLLING=10 go test -timeout 0 -v -run RollingRestart ./internal/test/faulttest
//	DHBOT_FAULT_SOAK=30 go test -timeout 0 -v -run Soak ./internal/test/faulttest
//
// Broken builds the bot with one of its rules taken out at a time, and wants
// each such build to be caught. The last two are played for so many minutes,
// with the bot's own times at a Slack with Slack's limits, and print their
// figures; what all of this came to is in docs/testing.md. A failure prints how
// to play its round again; what the machine does in between is its own, so that
// a race may take several tries. DHBOT_FAULT_LOG=1 prints the replicas' logs.
package faulttest
