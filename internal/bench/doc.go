// Package bench measures the time of a status from the Slack envelope to the posted reply. It
// compares the bot with a bare loop of slack-go's Socket Mode client and warm x/crypto/ssh
// connections. The loop sends the same lines to the same hosts at the same time and posts the
// output, but has no claims, records, gate or evaluation. A second bare loop sends only the status
// command.
//
//	go test ./internal/bench -bench . -benchtime 1x
//
// prints one table and ends within about three minutes. All sides run in one process
// against OpenSSH servers and local Slacks on the same machine. They take turns
// round by round, and every command in flight has its own channel. Only the ratios
// are meaningful, because other load on the machine affects both sides alike. No
// test asserts a time. TestSides checks that every side answers the commands that
// the benchmark sends, and that a read costs at most two transactions.
//
// If Node.js and Bolt are installed (`npm ci` in test/bolt), Slack's own framework is
// another side.
//
// BenchmarkFleet compares the status of 50 and of 500 hosts with parallel-ssh,
// if parallel-ssh is installed. BenchmarkMonitoring measures the CPU time and
// memory that `bot run` needs to monitor 500 hosts.
//
// BenchmarkFlood measures the memory that commands in very large frames leave behind.
//
// BenchmarkSSH compares the SSH client alone with plain x/crypto/ssh: memory and dials of
// 500 hosts, and warm and cold commands.
package bench
