package app

import (
	"runtime"
	"runtime/debug"
	"testing"
)

// TestMemoryReleaser follows a heap through a peak, a slow growth and a fall.
func TestMemoryReleaser(t *testing.T) {
	t.Parallel()
	const mb = 1 << 20
	heap, inUse, released := uint64(0), uint64(0), 0
	r := &memoryReleaser{
		held:    func() uint64 { return heap },
		release: func() { heap = inUse; released++ },
		least:   10 * mb,
	}
	for _, step := range []struct {
		what        string
		heap, inUse uint64
		want        int
	}{
		{"as small as before", 10 * mb, 10 * mb, 0},
		{"grown a little", 40 * mb, 10 * mb, 0},
		{"a peak", 170 * mb, 12 * mb, 1},
		{"after the peak", 14 * mb, 12 * mb, 2},
		{"a larger fleet", 100 * mb, 90 * mb, 3},
		{"the larger fleet stays", 110 * mb, 90 * mb, 3},
		{"a fall", 20 * mb, 20 * mb, 3},
		{"a peak after the fall", 60 * mb, 20 * mb, 4},
		{"after that peak", 21 * mb, 20 * mb, 5},
		{"a flood begins", 200 * mb, 80 * mb, 6},
		{"the flood is over", 100 * mb, 12 * mb, 7},
		{"the last of the flood", 14 * mb, 12 * mb, 8},
		{"quiet", 14 * mb, 12 * mb, 8},
	} {
		heap, inUse = step.heap, step.inUse
		if r.compare(); released != step.want {
			t.Errorf("%s: %d releases, want %d", step.what, released, step.want)
		}
	}
}

// TestHeldHeap: the figure includes garbage, but not memory that was returned to the system.
func TestHeldHeap(t *testing.T) {
	const size = 256 << 20
	garbage := make([]byte, size)
	peak := heldHeap()
	runtime.KeepAlive(garbage) // from here on it is garbage
	debug.FreeOSMemory()
	if left := heldHeap(); peak < size || left > peak-size/2 {
		t.Errorf("%d bytes with garbage of %d, %d without", peak, size, left)
	}
}
