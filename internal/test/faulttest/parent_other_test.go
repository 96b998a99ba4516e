//go:build !linux

package faulttest

import "syscall"

// withParent does nothing, because only Linux can end a process together with its parent.
func withParent() *syscall.SysProcAttr { return nil }
