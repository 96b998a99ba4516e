// Package bench measures the whole way of a read, from the envelope to the
// posted reply, beside a bare loop that does the same work and promises
// nothing: slack-go's Socket Mode client and a pool of x/crypto/ssh
// connections that send the same command and post what came back, without
// claims, records, gates or understanding.
//
//	go test ./internal/bench -bench . -benchtime 1x
//
// prints one table and ends within about a minute and a half. Both sides run in one
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
// BenchmarkSSH measures the SSH edge by itself: memory and dials of 500 hosts,
// and warm and cold commands, beside plain x/crypto/ssh.
package bench
