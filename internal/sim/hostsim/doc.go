// Package hostsim is a cluster of simulated hosts for the demo and for tests:
// real SSH servers on loopback whose monit, systemctl, etcdctl.sh, logs and
// mysql have state and time like the real ones. A restart returns at once and
// the pid changes later; starts fail, hang and crash; every executed command
// is numbered and can be listed.
//
// The output of the commands follows monit 5.33, systemd 252, etcd 3.4 and
// MariaDB 10.11 in texts, layout, exit codes and the stdout/stderr split.
// Hosts run one simple command at a time and refuse everything that needs a
// shell: pipes, lists, redirections, substitutions, assignments.
//
// The package is in three layers: the pure model (model.go, process.go,
// supervisor.go, unit.go, etcd.go), the commands that read and change it
// (shell.go, commands.go and one file per tool), and the servers around them
// (hostsim.go, server.go, gate.go, http.go).
package hostsim
