package faulttest

import "syscall"

// withParent makes a child process end when this process ends.
func withParent() *syscall.SysProcAttr { return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} }
