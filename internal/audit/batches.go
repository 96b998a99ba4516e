package audit

import (
	"iter"
	"runtime"
	"sync"
)

// A batch ends with so many items, or with so many bytes of them.
const (
	batchItems = 1024
	batchBytes = 1 << 20
)

// batched hands each item of in to work, on all processors, and yields what it
// returns, in order. It reads ahead of what it yields by one batch at most, and
// leaves nothing running behind. size is how many bytes an item holds.
func batched[T, U any](in iter.Seq2[T, error], size func(T) int, work func(T) U) iter.Seq2[U, error] {
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
		for item, err := range in {
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

// shared calls work for 0 to n-1, a stretch on each processor.
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
