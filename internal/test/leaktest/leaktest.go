package leaktest

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"runtime/pprof"
	"strings"
	"testing"
	"time"
)

// patience is how long goroutines may take to end, on a machine that has much to do.
const patience = 2 * time.Minute

// Goroutines fails the test where, when it and what it cleans up are over, a goroutine
// is left that it began after this call. They are known by a label, which each hands
// down to those that it begins.
func Goroutines(t *testing.T) {
	t.Helper()
	pprof.SetGoroutineLabels(pprof.WithLabels(context.Background(), pprof.Labels("test", t.Name())))
	t.Cleanup(func() {
		pprof.SetGoroutineLabels(context.Background())
		var left []string
		for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
			http.DefaultClient.CloseIdleConnections() // those that it used there
			if left = labelled(t); len(left) == 0 {
				return
			}
		}
		t.Errorf("goroutines are left:\n%s", strings.Join(left, "\n\n"))
	})
}

// labelled are the stacks of the goroutines that have a test's label.
func labelled(t *testing.T) (out []string) {
	var all bytes.Buffer
	if err := pprof.Lookup("goroutine").WriteTo(&all, 1); err != nil {
		t.Error(err)
	}
	label := fmt.Sprintf("%q:%q", "test", t.Name())
	for stack := range strings.SplitSeq(all.String(), "\n\n") {
		if strings.Contains(stack, label) {
			out = append(out, stack)
		}
	}
	return out
}
