package ledger

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/proofs"
)

// tailed returns the first n entries that a query follows.
func tailed(t *testing.T, l client.Log, q client.TailQuery, n int) (indices []uint64) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for e, err := range l.Tail(ctx, q) {
		if err != nil {
			t.Fatalf("tail of %q after %d: %v", q.Stream, indices, err)
		}
		if indices = append(indices, e.Index); len(indices) == n {
			return indices
		}
	}
	t.Fatalf("the tail of %q ended after %d", q.Stream, indices)
	return nil
}

// Who follows one stream is not stopped by what nobody can read in another,
// and what they do not follow is not opened at all.
func TestATailOpensOnlyWhatItFollows(t *testing.T) {
	w := newWorld(t)
	l := w.started()
	if _, err := operator(l).AddStream(t.Context(), StreamConfig{Name: "other"}); err != nil {
		t.Fatal(err)
	}
	var mine, others []client.Appended
	for i := range 300 {
		e := client.Event{Data: fmt.Appendf(nil, `{"n":%d}`, i)}
		if i%100 == 0 {
			mine = append(mine, appendEvents(t, l.As(Caller{Name: "alice"}), client.Witnessed, e)...)
		}
		got, err := l.As(Caller{Name: "alice"}).Append(t.Context(), "other", []client.Event{e}, client.Integrated)
		if err != nil || got[0].Err != nil {
			t.Fatal(err, got[0].Err)
		}
		others = append(others, got...)
	}
	leaf, err := proofs.ParseLeaf(others[0].Leaf)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.mem.Vault("vault").Drop(t.Context(), leaf.Bucket); err != nil {
		t.Fatal(err)
	}
	last := appendEvents(t, l.As(Caller{Name: "alice"}), client.Witnessed, event(1))
	mine = append(mine, last...)
	var want []uint64
	for _, a := range mine {
		want = append(want, a.Index)
	}
	if got := tailed(t, l.As(Caller{Name: "bob"}), client.TailQuery{Stream: DefaultStream}, len(want)); !slices.Equal(got, want) {
		t.Errorf("followed %d, want %d", got, want)
	}
	for e, err := range l.As(Caller{Name: "bob"}).Tail(t.Context(), client.TailQuery{Stream: "other"}) {
		if err == nil {
			t.Errorf("entry %d, which is gone, was passed on", e.Index)
		}
		break
	}
	passed := uint64(0)
	for e, err := range l.As(Caller{Name: "bob"}).Follow(t.Context(), client.TailQuery{From: last[0].Index}, func(next uint64) { passed = next }) {
		if err != nil || e.Index != last[0].Index || passed != e.Index {
			t.Errorf("got entry %v and error %v, and %d was passed", e, err, passed)
		}
		break
	}
}

func TestAnEntryIsAboutOneStream(t *testing.T) {
	w := newWorld(t)
	l := w.started()
	fields := []FieldConfig{{Name: "n", Path: "n"}}
	settings, err := operator(l).AddStream(t.Context(), StreamConfig{Name: "other", Fields: fields})
	if err != nil {
		t.Fatal(err)
	}
	class, err := operator(l).AddClass(t.Context(), ClassConfig{Name: "long"})
	if err != nil {
		t.Fatal(err)
	}
	got, err := l.As(Caller{Name: "alice"}).Append(t.Context(), "other", []client.Event{event(1)}, client.Witnessed)
	if err != nil || got[0].Err != nil {
		t.Fatal(err, got[0].Err)
	}
	opened := got[0].Index - 1
	for what, want := range map[string]struct {
		index  uint64
		stream string
	}{
		"the ledger's beginning":       {0, ""},
		"settings of a stream":         {settings, "other"},
		"a retention class":            {class, ""},
		"what opened a bucket":         {opened, "other"},
		"an event":                     {got[0].Index, "other"},
		"an event of the first stream": {appendEvents(t, l.As(Caller{Name: "alice"}), client.Sequenced, event(2))[0].Index, DefaultStream},
	} {
		if _, stream, err := l.about(t.Context(), want.index); err != nil || stream != want.stream {
			t.Errorf("%s, entry %d: is about %q, %v; want %q", what, want.index, stream, err, want.stream)
		}
	}
	for _, index := range []uint64{1 << 20, 1<<63 - 1, 1<<64 - 1} {
		var p *client.Problem
		if _, stream, err := l.about(t.Context(), index); !errors.As(err, &p) || p.Code() != client.NoSuchEntry {
			t.Errorf("entry %d, which is not there, is about %q, %v", index, stream, err)
		}
	}
}
