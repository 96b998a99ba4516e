package app

import (
	"context"
	"runtime/debug"
	"runtime/metrics"
	"time"

	"dhbot/internal/pause"
)

const (
	// releaseEach is the time between two checks. A check compares the heap with its least size
	// since the last release.
	releaseEach = 30 * time.Second
	// mostGrown is how many bytes the heap may be above its least size since the last release,
	// before memory is released again.
	mostGrown = 32 << 20
	// mostFreed is how many bytes a release frees at most if no peak is in progress.
	mostFreed = 16 << 20
)

// memoryReleaser returns memory to the system after a peak, such as large messages. Go's collector
// runs when the heap has doubled. Without new allocations, the garbage of a peak would stay for
// minutes, and the memory of the largest peak for longer.
type memoryReleaser struct {
	held    func() uint64 // bytes of the heap that the process holds
	release func()
	least   uint64 // the fewest bytes held since the last release
	// again means that the last release freed much. The peak may have lasted until then or longer,
	// so least may be a size within the peak.
	again bool
}

func newMemoryReleaser() *memoryReleaser {
	r := &memoryReleaser{held: heldHeap, release: debug.FreeOSMemory}
	r.release() // reading the config and the catalogs needed memory that is free now
	r.least = r.held()
	return r
}

// run releases memory when necessary until ctx ends.
func (r *memoryReleaser) run(ctx context.Context) {
	for pause.For(ctx, releaseEach) {
		r.compare()
	}
}

func (r *memoryReleaser) compare() {
	if before := r.held(); r.again || before > r.least+mostGrown {
		r.release()
		r.least = r.held()
		r.again = before > r.least+mostFreed
	}
	r.least = min(r.least, r.held())
}

// heldHeap returns the size of the heap in bytes, without memory that was returned to the system.
func heldHeap() uint64 {
	samples := []metrics.Sample{
		{Name: "/memory/classes/heap/objects:bytes"},
		{Name: "/memory/classes/heap/unused:bytes"},
		{Name: "/memory/classes/heap/free:bytes"},
	}
	metrics.Read(samples)
	var sum uint64
	for _, s := range samples {
		sum += s.Value.Uint64()
	}
	return sum
}
