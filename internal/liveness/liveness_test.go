package liveness

import (
	"testing"
	"time"
)

func TestStuckLoops(t *testing.T) {
	var c Checker
	if got := c.Stuck(time.Now()); len(got) != 0 {
		t.Errorf("without loops: %v", got)
	}
	engine, hearing := c.Loop("engine", time.Minute), c.Loop("hearing", time.Hour)
	now := time.Now()
	for _, s := range []struct {
		name string
		at   time.Duration
		want int
	}{{"in time", 50 * time.Second, 0}, {"one overdue", 2 * time.Minute, 1}, {"both overdue", 2 * time.Hour, 2}} {
		if got := c.Stuck(now.Add(s.at)); len(got) != s.want {
			t.Errorf("%s: %v", s.name, got)
		}
	}
	engine.Beat()
	hearing.Done()
	if got := c.Stuck(now.Add(2 * time.Hour)); len(got) != 1 || got[0] != "the engine loop has not run for 2h0m0s" {
		t.Errorf("after one has ended: %v", got)
	}
}
