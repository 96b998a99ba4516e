// Package evidence collects the state of a process before a restart or stop destroys it: its
// process status, its last log lines and, if the config names a program for that, a thread
// dump.
package evidence
