package main

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
)

// numbered yields inputs of a size, and then an error if it is not nil.
func numbered(n, size int, end error, asked func(i int)) func(func(input, error) bool) {
	return func(yield func(input, error) bool) {
		for i := range n {
			asked(i)
			if !yield(input{data: make([]byte, size), where: fmt.Sprint(i)}, nil) {
				return
			}
		}
		if end != nil {
			yield(input{}, end)
		}
	}
}

func TestIntakeGathersWhatComesMeanwhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		broken := errors.New("broken")
		read := 0
		q := newIntake(t.Context(), numbered(10, 3, broken, func(i int) { read = i + 1 }), 4, 100)
		var sizes []int
		next := 0
		for {
			synctest.Wait() // what can be read is read
			if read > next+5 {
				t.Errorf("%d inputs are read while %d were taken, want 4 and the one in hand at most", read, next)
			}
			<-q.ready
			batch, ended, err := q.take()
			for _, in := range batch {
				if in.where != fmt.Sprint(next) {
					t.Errorf("got input %s, want %d", in.where, next)
				}
				next++
			}
			if sizes = append(sizes, len(batch)); ended {
				if !errors.Is(err, broken) {
					t.Errorf("at the end: got error %v, want %v", err, broken)
				}
				break
			}
		}
		if fmt.Sprint(sizes) != "[4 4 2]" {
			t.Errorf("got batches of %v, want [4 4 2]", sizes)
		}
	})
}

func TestIntakeBoundsBytes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := newIntake(t.Context(), numbered(3, 70, nil, func(int) {}), 10, 100)
		for i := range 3 {
			synctest.Wait()
			<-q.ready
			if batch, ended, err := q.take(); len(batch) != 1 || ended != (i == 2) || err != nil {
				t.Errorf("batch %d: got %d inputs, the end %v and error %v, want 1: two are too large together", i, len(batch), ended, err)
			}
		}
	})
}

func TestIntakeEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		read := 0
		q := newIntake(ctx, numbered(10, 1, nil, func(i int) { read = i + 1 }), 2, 100)
		synctest.Wait()
		cancel()
		synctest.Wait()
		if batch, ended, err := q.take(); read != 3 || len(batch) != 2 || !ended || err != nil {
			t.Errorf("got %d inputs read, %d to take, the end %v and error %v, want that what waits for space is given up", read, len(batch), ended, err)
		}
	})
}
