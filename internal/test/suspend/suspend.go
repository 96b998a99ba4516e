// Package suspend stops processes as SIGSTOP does, for tests.
package suspend

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// within is how long the threads of a process may take to stop. A thread must run to see
// the signal, which takes time on a busy machine.
const within = 10 * time.Second

// Process sends SIGSTOP and returns once every thread has stopped. Until then the process may
// still answer. SIGCONT resumes it.
func Process(p *os.Process) error {
	if err := p.Signal(syscall.SIGSTOP); err != nil {
		return err
	}
	for began := time.Now(); time.Since(began) < within; time.Sleep(time.Millisecond) {
		if done, err := stopped(p.Pid); done || err != nil {
			return err
		}
	}
	return fmt.Errorf("process %d does not stop", p.Pid)
}

// stopped reports whether every thread is in the state T, "stopped by a signal" (proc_pid_stat(5)).
func stopped(pid int) (bool, error) {
	threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", pid))
	if err != nil || len(threads) == 0 {
		return false, errors.Join(err, fmt.Errorf("process %d has no threads", pid))
	}
	for _, name := range threads {
		text, err := os.ReadFile(name)
		if errors.Is(err, os.ErrNotExist) || errors.Is(err, syscall.ESRCH) {
			continue // the thread ended meanwhile
		}
		if err != nil {
			return false, err
		}
		// The name of the program is in parentheses before the state, and may contain parentheses.
		_, state, found := strings.Cut(string(text[strings.LastIndexByte(string(text), ')')+1:]), " ")
		if !found || !strings.HasPrefix(state, "T") {
			return false, nil
		}
	}
	return true, nil
}
