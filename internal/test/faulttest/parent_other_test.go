//go:build !linux

package faulttest

import "syscall"

// withParent would make a process end with this one; only Linux can.
func withParent() *syscall.SysProcAttr { return nil }
