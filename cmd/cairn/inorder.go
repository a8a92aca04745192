package main

import (
	"context"
	"iter"

	"golang.org/x/sync/errgroup"
)

// inOrder fetches things, some at once, and takes them one by one in their
// order. At most so many as there are workers wait to be taken. The first
// error ends it.
func inOrder[K, V any](ctx context.Context, workers int, keys iter.Seq[K], fetch func(context.Context, K) (V, error), take func(V) error) error {
	g, ctx := errgroup.WithContext(ctx)
	fetched := make(chan chan V, workers-1) // and one is taken
	g.Go(func() error {
		defer close(fetched)
		for key := range keys {
			slot := make(chan V, 1)
			select {
			case fetched <- slot:
			case <-ctx.Done():
				return ctx.Err()
			}
			g.Go(func() error {
				v, err := fetch(ctx, key)
				if err == nil {
					slot <- v
				}
				return err
			})
		}
		return nil
	})
	g.Go(func() error {
		for slot := range fetched {
			select {
			case v := <-slot:
				if err := take(v); err != nil {
					return err
				}
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		return nil
	})
	return g.Wait()
}
