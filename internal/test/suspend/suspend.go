// Package suspend lets tests suspend a process with SIGSTOP.
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

// within is how long all threads of a process may take to stop. A thread must run to notice the
// signal, which takes time on a busy machine.
const within = 10 * time.Second

// Process sends SIGSTOP, and returns when every thread has stopped. Until then the process may
// still answer. SIGCONT resumes the process.
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
		// The state follows the name of the program, which is in parentheses and may itself contain
		// parentheses.
		_, state, found := strings.Cut(string(text[strings.LastIndexByte(string(text), ')')+1:]), " ")
		if !found || !strings.HasPrefix(state, "T") {
			return false, nil
		}
	}
	return true, nil
}
