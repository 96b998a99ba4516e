package faulttest

import "syscall"

// withParent makes a process end with this one, whatever ends it.
func withParent() *syscall.SysProcAttr { return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} }
