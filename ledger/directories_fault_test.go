package ledger

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/proofs"
	"github.com/cairnlog/cairn/storage/fault"
	"github.com/cairnlog/cairn/storage/memory"
)

// TestDirectoriesSurviveFaults takes a ledger over many places of directories,
// with a fault at some step near each, and another start behind it. What it then
// proves is complete.
func TestDirectoriesSurviveFaults(t *testing.T) {
	places := 20
	if testing.Short() {
		places = 4
	}
	plan, rng := new(fault.Plan), rand.New(rand.NewPCG(7, 7))
	w := newWorld(t)
	w.plan, w.mem, w.tree = plan, memory.New(plan), newMemoryTree(plan)
	j := &journey{world: w, t: t, rng: rng, acked: make(map[int]client.Appended)}
	j.begin()
	t.Cleanup(func() { die(j.l) })
	people := StreamConfig{Name: "people", Fields: []FieldConfig{{Name: "actor", Path: "actor"}}}
	if _, err := j.l.As(Caller{Name: "operator"}).AddStream(t.Context(), people); err != nil {
		t.Fatal(err)
	}
	alices := make(map[uint64]bool)
	add := func(n int) error {
		var events []client.Event
		for i := range n {
			name := "bob"
			if i%50 == 0 {
				name = "alice"
			}
			events = append(events, client.Event{Data: fmt.Appendf(nil, `{"actor":%q}`, name)})
		}
		got, err := j.l.As(Caller{Name: "app"}).Append(context.Background(), "people", events, client.Integrated)
		for i, g := range got {
			if err == nil && g.Err == nil && i%50 == 0 {
				alices[g.Index] = true
			}
		}
		return err
	}
	for segment := range uint64(places) {
		place := proofs.DirectoryPlace(segment)
		for next := j.l.Status().Sizes.Sequenced; next+4 < place; next = j.l.Status().Sizes.Sequenced {
			if err := add(int(min(1500, place-next-4))); err != nil {
				t.Fatal(err)
			}
		}
		outcome := fault.Outcomes()[rng.IntN(len(fault.Outcomes()))]
		plan.At(len(plan.Steps())+rng.IntN(25), outcome)
		for range 8 {
			if err := add(1); err != nil {
				break // it may have been sequenced, and then is one more
			}
		}
		plan.Heal()
		j.end()
		j.reach()
		settles(t, j.l)
		if err := add(60); err != nil {
			t.Fatal(err)
		}
	}
	settles(t, j.l)
	source := &archive{world: w, l: j.l}
	v := source.proven(client.CompleteQuery{Stream: "people", Fields: by("alice"), Now: true})
	settings, _ := j.l.state.streamNamed("people")
	runs, err := j.l.matching(t.Context(), settings, HoldConfig{Stream: "people", Fields: map[string]string{"actor": "alice"}}, 0, v.Stop)
	if err != nil {
		t.Fatal(err)
	}
	if want := slices.Collect(proofs.IndicesOf(runs)); !slices.Equal(v.Hits, want) || len(v.Directories) < places/proofs.LargeSegments+1 {
		t.Errorf("got %d hits by %d directories, want %d", len(v.Hits), len(v.Directories), len(want))
	}
	for index := range alices {
		if _, found := slices.BinarySearch(v.Hits, index); !found {
			t.Errorf("entry %d is not found", index)
		}
	}
	if plan.Struck() < places/2 {
		t.Errorf("only %d faults struck at %d places", plan.Struck(), places)
	}
	judged(t, j.l, w.policy)
}
