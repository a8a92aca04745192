package main

import (
	"fmt"
	"reflect"
	"strings"
	"sync"
	"testing"
	"unsafe"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/cmd/internal/command"
	"github.com/cairnlog/cairn/ledger"
	"github.com/cairnlog/cairn/proofs"
)

// A memoryOf is what a running ledger keeps in memory of the tags of a segment,
// until it makes the directory of them. Nothing in a ledger lets anybody change it:
// a test is a debugger.
type memoryOf struct{ tags reflect.Value } // entries in their order

// lies changes the tags of the newest entries in a ledger's memory.
func lies(l *ledger.Ledger, change func(memoryOf)) {
	reach := func(v reflect.Value, name string) reflect.Value {
		f := v.FieldByName(name)
		return reflect.NewAt(f.Type(), unsafe.Pointer(f.UnsafeAddr())).Elem()
	}
	directories := reach(reflect.ValueOf(l).Elem(), "directories").Elem()
	mu := reach(directories, "mu").Addr().Interface().(*sync.Mutex)
	mu.Lock()
	defer mu.Unlock()
	change(memoryOf{reach(reach(directories, "fed"), "entries")})
}

// at returns the tags of an entry.
func (m memoryOf) at(index uint64) (lists reflect.Value) {
	for i := range m.tags.Len() {
		if x := m.tags.Index(i); x.FieldByName("index").Uint() == index {
			f := x.FieldByName("lists")
			return reflect.NewAt(f.Type(), unsafe.Pointer(f.UnsafeAddr())).Elem()
		}
	}
	panic(fmt.Sprintf("the ledger has no tags of entry %d in memory", index))
}

// TestALedgerThatLiesIsCaught: a running ledger, with its witness, commits to
// directories in which one entry has no tags, another has those of a third besides,
// and two have each other's. Whoever makes the directories again finds the rows.
func TestALedgerThatLiesIsCaught(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes thousands of entries")
	}
	s := newSearched(t)
	var users []uint64 // the newest events, by user
	crowd := func(until uint64) {
		for s.world.Ledger.Status().Sizes.Sequenced < until {
			var events []client.Event
			for i := range 1000 {
				events = append(events, client.Event{Data: fmt.Appendf(nil, `{"actor":"user%d","action":"login"}`, i)})
			}
			got, err := s.world.Ledger.As(ledger.Caller{Name: "app"}).Append(t.Context(), "logins", events, client.Integrated)
			if err != nil {
				t.Fatal(err)
			}
			users = nil
			for _, g := range got {
				users = append(users, g.Index)
			}
		}
	}
	crowd(proofs.SegmentSize + 1500) // of the first segment some came before the ledger was opened
	hidden := users[7]
	lies(s.world.Ledger, func(m memoryOf) { m.at(hidden).SetZero() })
	crowd(2*proofs.SegmentSize + 1500)
	added := users[8]
	lies(s.world.Ledger, func(m memoryOf) { m.at(added).Set(reflect.AppendSlice(m.at(added), m.at(users[9]))) })
	crowd(3*proofs.SegmentSize + 1500)
	lies(s.world.Ledger, func(m memoryOf) {
		mine := reflect.ValueOf(m.at(users[5]).Interface())
		m.at(users[5]).Set(m.at(users[6]))
		m.at(users[6]).Set(mine)
	})
	crowd(proofs.DirectoryPlace(3) + 1)

	search := []string{"search", "--complete", "--stream", "logins", "actor:user7", "--first", fmt.Sprint(proofs.SegmentSize), "--end", fmt.Sprint(2 * proofs.SegmentSize)}
	stdout := s.must("reader", search...)
	if strings.Contains(stdout, fmt.Sprintf("%d ", hidden)) || !strings.Contains(stdout, "complete if they are honest") {
		t.Errorf("of what the ledger hides it is not said that this rests on its honesty:\n%s", stdout)
	}
	row := func(segment int) string {
		return fmt.Sprintf("The directory of segment %d has other rows of bucket 3 than the tags make: row ", segment)
	}
	status, stdout, stderr := s.run("reader", append(search, "--recompute")...)
	if status != command.No || stdout != "" || !strings.Contains(stderr, row(1)) {
		t.Errorf("recomputed: got status %d and\n%s%s, want that it is found", status, stdout, stderr)
	}
	for _, n := range []string{"all", "4"} {
		status, stdout, stderr := s.run("auditor", "audit", "--directories", n)
		if status != command.No || strings.Count(stdout, "directory-wrong  ") != 3 || strings.Contains(stdout, row(0)) {
			t.Errorf("of %s directories: got status %d and\n%s%s, want three that are wrong", n, status, stdout, stderr)
		}
		for segment := 1; segment <= 3; segment++ {
			if !strings.Contains(stdout, row(segment)) {
				t.Errorf("of %s directories: got\n%s, want a row of segment %d", n, stdout, segment)
			}
		}
	}
}
