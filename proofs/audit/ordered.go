package audit

import (
	"context"
	"iter"
	"sync"
)

// A task is a job on its way through the workers.
type task[J, R any] struct {
	job  J
	done chan struct{} // closed when the two below are set
	res  R
	err  error
}

// ordered does work on jobs by several workers at once and hands the results
// to sink one by one, in the order of the jobs. At most four jobs a worker wait
// for their turn. It returns the first error in that order: of the jobs, of
// work or of sink; or that of the context.
func ordered[J, R any](ctx context.Context, workers int, jobs iter.Seq2[J, error],
	work func(context.Context, J) (R, error), sink func(R) error) error {
	ctx, cancel := context.WithCancel(ctx)
	queue, line := make(chan *task[J, R]), make(chan *task[J, R], 4*workers)
	var wg sync.WaitGroup
	defer wg.Wait()
	defer cancel()
	for range workers {
		wg.Go(func() {
			for t := range queue {
				t.res, t.err = work(ctx, t.job)
				close(t.done)
			}
		})
	}
	wg.Go(func() {
		feed(ctx, jobs, queue, line)
		close(queue)
		close(line)
	})
	for t := range line {
		<-t.done
		if t.err != nil {
			return t.err
		}
		if err := sink(t.res); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// feed puts each job into the line, which keeps the order, and then into the
// queue of the workers. An error among the jobs is the last one in the line.
func feed[J, R any](ctx context.Context, jobs iter.Seq2[J, error], queue, line chan<- *task[J, R]) {
	for job, err := range jobs {
		t := &task[J, R]{job: job, err: err, done: make(chan struct{})}
		if err != nil {
			close(t.done)
		}
		select {
		case line <- t:
		case <-ctx.Done():
			return
		}
		if err != nil {
			return
		}
		select {
		case queue <- t:
		case <-ctx.Done():
			t.err = ctx.Err()
			close(t.done)
			return
		}
	}
}
