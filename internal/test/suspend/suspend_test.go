package suspend

import (
	"os/exec"
	"syscall"
	"testing"
)

func TestProcess(t *testing.T) {
	t.Parallel()
	cmd := exec.Command("sleep", "60")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = cmd.Wait() }()
	defer func() { _ = cmd.Process.Kill() }()
	if done, err := stopped(cmd.Process.Pid); done || err != nil {
		t.Errorf("reported as stopped before the signal: %v", err)
	}
	if err := Process(cmd.Process); err != nil {
		t.Fatal(err)
	}
	if done, err := stopped(cmd.Process.Pid); !done || err != nil {
		t.Errorf("not reported as stopped: %v", err)
	}
	if err := cmd.Process.Signal(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	if err := Process(cmd.Process); err == nil {
		t.Error("an ended process was suspended")
	}
}
