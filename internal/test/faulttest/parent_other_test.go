//go:build !linux

package faulttest

import "syscall"

// withParent does nothing: only Linux can end a process together with its
// parent.
func withParent() *syscall.SysProcAttr { return nil }
