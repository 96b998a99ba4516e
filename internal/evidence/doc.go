// Package evidence collects the state of a process before a restart or stop destroys it: its
// process status, its last log lines and a thread dump. It takes a thread dump only if the config
// names a program for it.
package evidence
