package local_test

import (
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/ledger"
	"github.com/cairnlog/cairn/ledger/local"
	"github.com/cairnlog/cairn/proofs"
)

// TestAnErasureIsDoneOnADamagedDisk flips a byte of two records, one of them about
// the person who is erased, and flips it back later.
func TestAnErasureIsDoneOnADamagedDisk(t *testing.T) {
	dir := initLedger(t, local.InitOptions{Config: local.Config{KeyState: local.KeyState{Places: []string{"here", "there"}}}})
	d := open(t, dir, local.Options{})
	people := ledger.StreamConfig{Name: "people", Fields: []ledger.FieldConfig{{Name: "who", Path: "who", Subject: true}}}
	if _, err := d.Ledger.As(ledger.Caller{Name: "operator"}).AddStream(t.Context(), people); err != nil {
		t.Fatal(err)
	}
	var events []client.Event
	for i := range 6 {
		events = append(events, client.Event{Data: fmt.Appendf(nil, `{"who":"%s"}`, []string{"alice", "bob"}[i%2])})
	}
	got, err := d.Ledger.As(ledger.Caller{Name: "app"}).Append(t.Context(), "people", events, client.Integrated)
	if err != nil {
		t.Fatal(err)
	}
	alice, bob := got[2].Index, got[3].Index
	closeAll(t, d)
	var mend []func()
	for _, index := range []uint64{alice, bob} {
		mend = append(mend, flip(t, filepath.Join(dir, "data"), index))
	}
	d = open(t, dir, local.Options{})
	custodian := d.Ledger.As(ledger.Caller{Name: "custodian"})
	plan, err := custodian.Erase(t.Context(), ledger.Erasure{Stream: "people", Subject: "alice", Reason: "asked to"})
	if err != nil || plan.Entries != 2 || !slices.Equal(plan.Unread, proofs.RunsOf([]uint64{alice, bob})) {
		t.Fatalf("got %+v, %v, want two entries, and two that are damaged", plan, err)
	}
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		c, err := custodian.Closing(t.Context(), plan.Announced)
		if err != nil || time.Now().After(deadline) {
			t.Fatalf("it is not done: %+v, %v", c, err)
		}
		if c.Done {
			break
		}
	}
	if len(read(t, d, got[0].Index)) > 0 || len(read(t, d, got[1].Index)) == 0 {
		t.Error("what is whole is not erased, or what is of others is")
	}
	closeAll(t, d)
	for _, m := range mend {
		m()
	}
	d = open(t, dir, local.Options{})
	defer closeAll(t, d)
	if len(read(t, d, alice)) > 0 || len(read(t, d, bob)) == 0 {
		t.Error("of what is restored the person's is not erased, or that of others is")
	}
}

// flip flips a byte of the record that an entry has in the vault. What it returns
// flips it back, wherever the record lies then.
func flip(t *testing.T, data string, index uint64) (back func()) {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(data, "vault", "*.records"))
	if err != nil {
		t.Fatal(err)
	}
	const header, inside = 16, 30
	for _, name := range names {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for at := 0; at+header < len(b); at += header + int(binary.BigEndian.Uint32(b[at+8:])) {
			if binary.BigEndian.Uint64(b[at:]) != index {
				continue
			}
			b[at+inside] ^= 1
			if err := os.WriteFile(name, b, 0o600); err != nil {
				t.Fatal(err)
			}
			return func() { flip(t, data, index) }
		}
	}
	t.Fatalf("no file of the vault has a record of entry %d", index)
	return nil
}
