package audit

import (
	"iter"
	"runtime"
	"sync"
)

// A batch ends after batchItems items, or after batchBytes bytes.
const (
	batchItems = 1024
	batchBytes = 1 << 20
)

// batched calls the function work for each of the items, on all processors, and yields the results
// in order. It reads at most one batch ahead, and leaves no goroutine behind. size returns the size
// of an item in bytes.
func batched[T, U any](items iter.Seq2[T, error], size func(T) int, work func(T) U) iter.Seq2[U, error] {
	return func(yield func(U, error) bool) {
		batch, bytes := make([]T, 0, batchItems), 0
		results := make([]U, batchItems)
		flush := func() bool {
			shared(len(batch), func(i int) { results[i] = work(batch[i]) })
			for _, u := range results[:len(batch)] {
				if !yield(u, nil) {
					return false
				}
			}
			batch, bytes = batch[:0], 0
			return true
		}
		for item, err := range items {
			if err != nil {
				var none U
				if flush() {
					yield(none, err)
				}
				return
			}
			batch = append(batch, item)
			bytes += size(item)
			if (len(batch) == batchItems || bytes >= batchBytes) && !flush() {
				return
			}
		}
		flush()
	}
}

// shared calls the function work with each number from 0 to n-1. Each processor gets a range of the
// numbers.
func shared(n int, work func(int)) {
	processors := min(runtime.GOMAXPROCS(0), n)
	var wg sync.WaitGroup
	for p := range processors {
		wg.Go(func() {
			for i := n * p / processors; i < n*(p+1)/processors; i++ {
				work(i)
			}
		})
	}
	wg.Wait()
}
