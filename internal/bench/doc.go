// Package bench measures a status from the Slack envelope to the posted reply. It compares the bot
// with a bare loop: slack-go's Socket Mode client and warm x/crypto/ssh connections, which sends
// the same lines to the same hosts at the same time and posts their output, without claims,
// records, gate or evaluation. A second bare loop sends the status command alone.
//
//	go test ./internal/bench -bench . -benchtime 1x
//
// prints one table and ends within about three minutes. All sides run in one
// process against OpenSSH servers and local Slacks of the same machine, their
// rounds take turns, and every command that is in flight has a channel of its
// own. Only the ratios mean something: what else the machine does hits both
// sides alike. No time is asserted anywhere; that the sides do what is
// measured, and that a read costs at most two transactions, is tested like
// anything else.
//
// Where Node.js and Bolt are installed (`npm ci` in test/bolt), Slack's own framework
// is a further side.
//
// BenchmarkFleet measures the status of 50 and of 500 hosts beside parallel-ssh,
// where that is installed. BenchmarkMonitoring measures what `bot run` takes to
// watch 500 hosts in the background.
//
// BenchmarkFlood measures the memory that commands in very large frames leave behind.
//
// BenchmarkSSH measures the SSH edge by itself: memory and dials of 500 hosts,
// and warm and cold commands, beside plain x/crypto/ssh.
package bench
