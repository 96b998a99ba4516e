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

// patience limits how long goroutines may take to end on a busy machine.
const patience = 2 * time.Minute

// Goroutines fails the test if a goroutine that the test started after this call still runs after
// the test and its cleanup. It finds these goroutines by a label, which a goroutine inherits from
// the goroutine that started it.
func Goroutines(t *testing.T) {
	t.Helper()
	pprof.SetGoroutineLabels(pprof.WithLabels(context.Background(), pprof.Labels("test", t.Name())))
	t.Cleanup(func() {
		pprof.SetGoroutineLabels(context.Background())
		var left []string
		for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
			http.DefaultClient.CloseIdleConnections() // idle connections of the test
			if left = labelled(t); len(left) == 0 {
				return
			}
		}
		t.Errorf("goroutines are left:\n%s", strings.Join(left, "\n\n"))
	})
}

// labelled returns the stacks of the goroutines with a test's label.
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
