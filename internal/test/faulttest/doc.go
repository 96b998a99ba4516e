// Package faulttest injects faults into the bot and checks from outside whether
// every request had the correct outcome. It has tests only.
//
// # A round
//
// A round is a small world: one or several bot processes (the test binary, which
// calls app.Run with the same edges as `bot run`), an etcd process or the
// embedded store, a local Slack, and simulated hosts that count the commands they
// execute. People send requests, approve, tap twice and repeat requests, each at
// their own pace. Each replica reports every crossing of one of its edges (before
// and after each claim, commit, command, post …) and waits for permission to
// continue, so that a fault is injected at exactly that point. Then all faults
// are repaired, the round comes to rest, and check_test.go checks the result.
//
// # Running it
//
//	go test ./internal/test/faulttest                                     short, under half a minute
//	DHBOT_FAULT_ROUNDS=1000 go test -timeout 0 ./internal/test/faulttest  every point once, and 1,000 random rounds
//	DHBOT_FAULT_SEED=42 go test -run Random ./internal/test/faulttest     one random round again
//	DHBOT_FAULT_POINT='claim after 1' go test -run Points ./internal/test/faulttest
//	DHBOT_FAULT_RESTORES=1 go test -timeout 0 -run Restores ./internal/test/faulttest
//	DHBOT_FAULT_BROKEN=1 go test -timeout 0 -run Broken ./internal/test/faulttest
//	DHBOT_FAULT_ROLLING=10 go test -timeout 0 -v -run RollingRestart ./internal/test/faulttest
//	DHBOT_FAULT_SOAK=24 go test -timeout 0 -v -run Soak ./internal/test/faulttest
//
// Rounds that use programs of other projects, such as an external etcd, need
// DHBOT_REAL=1 as well; without it they are skipped.
//
// Broken builds bots that each lack one rule, and requires that the harness
// detects every such bot. RollingRestart and Soak run for the given number of
// minutes, with the bot's production durations and Slack's limits, and print
// measurements; the results are in docs/testing.md. A failure prints how to
// repeat the round. Scheduling differs between tries, so several tries may be
// needed to repeat a race. DHBOT_FAULT_LOG=1 prints the replicas' logs.
package faulttest
