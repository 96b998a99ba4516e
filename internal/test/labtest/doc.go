// Package labtest provides the hosts of a lab: real machines with systemd, sshd and monit that
// tests may disturb. The environment variable DHBOT_LAB names an OpenSSH client configuration with
// one Host block per machine. If DHBOT_LAB is unset, the calling test is skipped.
package labtest
