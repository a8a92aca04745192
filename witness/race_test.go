package witness_test

import (
	"errors"
	"math/rand/v2"
	"net/http"
	"sync"
	"testing"

	"context"
	"github.com/cairnlog/cairn/proofs"
	"github.com/cairnlog/cairn/storage"
	"github.com/cairnlog/cairn/storage/memory"
	"github.com/cairnlog/cairn/witness"
)

// Clients that contact a witness about a new log at the same time, with two
// histories and many sizes: one is cosigned, all others learn its size.
func TestFirstContactAtOnce(t *testing.T) {
	const clients = 16
	log := key(t, origin, proofs.Ed25519)
	c := &court{histories: []history{newHistory(1, "a"), newHistory(1, "b")}}
	var notes [clients][]byte
	for i := range notes {
		notes[i] = sign(t, c.histories[i%2].text(t, origin, uint64(2+i/2)), log)
	}
	for range 50 {
		b := newBench(t, trust(log)...)
		var wg sync.WaitGroup
		var mu sync.Mutex
		cosigned, told := []int(nil), make(map[uint64]bool)
		for i := range clients {
			wg.Go(func() {
				_, err := b.AddCheckpoint(t.Context(), witness.Request{Checkpoint: notes[i]})
				mu.Lock()
				defer mu.Unlock()
				var refused *witness.Error
				if err == nil {
					cosigned = append(cosigned, i)
				} else if errors.As(err, &refused) && refused.Status == http.StatusConflict {
					told[refused.Size] = true
				} else {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if len(cosigned) != 1 || len(told) != 1 || !told[uint64(2+cosigned[0]/2)] {
			t.Fatalf("requests %v were cosigned, and the others told of sizes %v", cosigned, told)
		}
	}
}

// Clients that submit two histories of one log to two witnesses that share
// their keys and registers, while the clock jumps.
func TestOneLogAtOnce(t *testing.T) {
	const clients, each = 8, 40
	log, clock := key(t, origin, proofs.Ed25519), newClock(noon)
	c := &court{histories: []history{newHistory(20, "a"), newHistory(20, "b")}}
	registers := memory.New(nil).Registers("cosigned")
	both := []*witness.Witness{open(t, registers, clock, trust(log)), open(t, registers, clock, trust(log))}
	var wg sync.WaitGroup
	for i := range clients {
		rng := rand.New(rand.NewPCG(1, uint64(i)))
		wg.Go(func() {
			old := uint64(0)
			for range each {
				clock.set(noon + rng.Int64N(10))
				h, size := rng.IntN(2), old+rng.Uint64N(4)
				r := witness.Request{Old: old, Proof: c.histories[h].proof(t, old, size),
					Checkpoint: sign(t, c.histories[h].text(t, origin, size), log)}
				answer, err := both[rng.IntN(2)].AddCheckpoint(t.Context(), r)
				var refused *witness.Error
				switch {
				case err == nil:
					time, err := timeOf(both[0].Keys(), answer, c.histories[h].text(t, origin, size))
					if err != nil {
						t.Error(err)
					}
					c.hear(h, size, time)
					old = size
				case errors.As(err, &refused) && refused.Status == http.StatusConflict:
					old = refused.Size
				default:
					wantStatus(t, err, http.StatusUnprocessableEntity)
				}
			}
		})
	}
	wg.Wait()
	must(t, c.judge())
	if len(c.answers) < 30 {
		t.Errorf("only %d requests were cosigned", len(c.answers))
	}
}

// A meddler lets something else happen before the first swap takes place.
type meddler struct {
	storage.Registers
	once   *sync.Once
	meddle func()
}

func (m meddler) Register(name string) storage.Register {
	return meddled{m.Registers.Register(name), m}
}

type meddled struct {
	storage.Register
	meddler meddler
}

func (m meddled) Swap(ctx context.Context, old, new []byte) error {
	m.meddler.once.Do(m.meddler.meddle)
	return m.Register.Swap(ctx, old, new)
}

// The race that C2SP tlog-witness warns of: between the check of a request
// and its commit another one is cosigned.
func TestRequestThatIsOvertaken(t *testing.T) {
	log := key(t, origin, proofs.Ed25519)
	a, other := newHistory(3, "a"), newHistory(3, "other")
	for _, row := range []struct {
		name     string
		old      uint64 // cosigned before
		overtake history
		to       uint64
		status   int
		size     uint64
	}{
		{"by a larger tree", 5, a, 9, 409, 9},
		{"by a smaller tree", 5, a, 6, 409, 6},
		{"by the same tree", 5, a, 8, 409, 8},
		{"by the tree cosigned before", 5, a, 5, 200, 8},
		{"by another history, which is refused", 5, other, 9, 200, 8},
		{"at the first contact", 0, a, 6, 409, 6},
		{"at the first contact by another history", 0, other, 8, 409, 8},
		{"at the first contact by the empty tree", 0, a, 0, 200, 8},
	} {
		t.Run(row.name, func(t *testing.T) {
			b := newBench(t, trust(log)...)
			if row.old > 0 {
				b.add(t, 0, a, row.old, log)
			}
			b.clock.set(noon + 1)
			m := meddler{b.world.Registers("cosigned"), new(sync.Once), func() {
				_, err := b.ask(t, row.old, row.overtake, row.to, log)
				if refused := row.old > 0 && row.overtake.own != a.own; (err != nil) != refused {
					t.Errorf("the request that overtakes: %v", err)
				}
			}}
			slow := &bench{Witness: open(t, m, b.clock, b.logs), clock: b.clock, world: b.world}
			_, err := slow.ask(t, row.old, a, 8, log)
			var refused *witness.Error
			if row.status == 200 {
				must(t, err)
			} else if !errors.As(err, &refused) || refused.Status != row.status || refused.Size != row.size {
				t.Errorf("error %v, want one of status %d and size %d", err, row.status, row.size)
			}
		})
	}
}
