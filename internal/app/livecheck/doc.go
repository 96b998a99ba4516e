// Package livecheck checks a config against the running systems for bot check --live: that Slack
// accepts the tokens, that each host can be reached and knows the account, that sudo allows what
// the catalogs run, that pagers answer. It changes nothing, except that the SSH client may run
// the command ssh.renew.
//
// # Files
//
//   - live.go: the checks of hosts, login shells, monit, systemd, the store and pagers, and
//     the time limit of a command
//   - liveslack.go: the checks of tokens, channels, accounts and the clock
//   - sudo.go: the checks of a host's sudoers file and its version of sudo
package livecheck
