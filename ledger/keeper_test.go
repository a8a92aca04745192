package ledger

import (
	"context"
	"sync"
	"testing"

	"github.com/cairnlog/cairn/client"
)

// TestRoundsOfTheKeeperAtTheSameTime has several goroutines make rounds, as the
// keeper and the closer do: afterwards the journal holds nothing that is signed.
func TestRoundsOfTheKeeperAtTheSameTime(t *testing.T) {
	l := newWorld(t).started()
	for range 100 {
		appendEvents(t, operator(l), client.Witnessed, event(1))
		appendEvents(t, operator(l), client.Witnessed, event(2))
		begin := make(chan struct{})
		var rounds sync.WaitGroup
		for range 8 {
			rounds.Go(func() {
				<-begin
				if err := l.keeper.round(context.Background()); err != nil {
					t.Error(err)
				}
			})
		}
		close(begin)
		rounds.Wait()
		if first, next := l.cfg.Journal.Bounds(); first != next {
			t.Fatalf("the journal holds the records %d to %d after a round", first, next)
		}
	}
}
