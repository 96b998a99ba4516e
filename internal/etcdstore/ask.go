package etcdstore

import (
	"context"
	"time"
)

// ask makes one call to etcd within the time of a call, and notes how long it
// took. Calls to an embedded server are calls of functions that wait for its
// locks and its disk, whatever their context says; so they are made beside,
// and given up at the end of the time, or as soon as the server has stopped
// for good: an answer that comes later is not heard, and one of a server that
// has lost a part of itself is not believed.
func ask[T any](ctx context.Context, s *Store, call func(context.Context) (T, error)) (T, error) {
	ctx, cancel := context.WithTimeout(ctx, s.conf.Timeout)
	defer cancel()
	began := time.Now()
	defer func() { s.trouble.slow.took(began, time.Since(began)) }()
	if s.last == nil {
		return call(ctx)
	}
	type answer struct {
		v   T
		err error
	}
	var none T
	if err := s.last.err(); err != nil {
		return none, err
	}
	answers := make(chan answer, 1)
	s.crew.Go(func() {
		v, err := call(ctx)
		answers <- answer{v, err}
	})
	select {
	case a := <-answers:
		if err := s.last.err(); err != nil {
			return none, err
		}
		return a.v, a.err
	case <-s.last.said:
		return none, s.last.err()
	case <-ctx.Done():
		return none, ctx.Err()
	}
}
