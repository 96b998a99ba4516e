// Package hostsim simulates a cluster of hosts for the demo and for tests. Each host is a real SSH
// server on loopback. Its monit, systemctl, etcdctl.sh, mysql and logs change with time like those
// of real hosts. For example, a restart returns at once, and the pid changes later. Starts can
// fail, hang and crash. Every executed command is numbered and can be listed.
//
// The commands have the same texts, layout, exit codes and output streams as monit 5.33, systemd
// 252, etcd 3.4 and MariaDB 10.11. Hosts run one simple command at a time and refuse everything
// that needs a shell: pipes, lists, redirections, substitutions, assignments. Only a line in which
// the bot joins several commands is accepted too: see joined.go.
//
// The package has three layers: the pure model, the commands that read and change the model, and
// the servers that run the commands.
//
// # Files
//
//   - model.go: the pure model: its durations, the state of all hosts, the next event
//   - process.go, supervisor.go, unit.go: a process, monit's daemon, a systemd unit
//   - etcd.go: the members of etcd
//   - disk.go, logs.go: files and logs, and the programs that print them: cat, tail, stat, df,
//     du
//   - layout.go: the generations: which process runs where
//   - faults.go: the faults, and how long they last by default
//   - shell.go, joined.go: which command lines are accepted, and what sudo, env and timeout do
//   - commands.go: which programs exist, and the smallest of them
//   - monit.go, monitctl.go: monit's answers, and its requests
//   - systemd.go, journal.go: systemctl and journalctl
//   - etcdctl.go: etcdctl.sh
//   - change.go, find.go, ls.go, ps.go, tools.go: the other programs
//   - hostsim.go, server.go, gate.go, http.go: the servers: SSH, frozen hosts, the control API
package hostsim
