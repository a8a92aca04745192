package local_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/ledger"
	"github.com/cairnlog/cairn/ledger/local"
)

// TestErasedIsFoundNowhere erases a person and opens, with the keys that are
// left, every record of the data directory and of an older backup of it: what
// could be read before cannot be afterwards, and what is about others can. In
// no file of either, or of the keys' places, the person's name or what was said
// stands in clear, before or after.
func TestErasedIsFoundNowhere(t *testing.T) {
	dir := initLedger(t, local.InitOptions{Config: local.Config{KeyState: local.KeyState{Places: []string{"here", "there"}}}})
	d := open(t, dir, local.Options{})
	operator := d.Ledger.As(ledger.Caller{Name: "operator"})
	if _, err := operator.AddStream(t.Context(), ledger.StreamConfig{
		Name: "people", Fields: []ledger.FieldConfig{{Name: "who", Path: "who", Subject: true}, {Name: "what", Path: "what"}},
	}); err != nil {
		t.Fatal(err)
	}
	const person, secret = "zebulon-the-erased", "quixotic-utterance"
	var events []client.Event
	for i := range 200 {
		who := person
		if i%2 == 1 {
			who = "somebody-else"
		}
		events = append(events, client.Event{Data: fmt.Appendf(nil, `{"who":%q,"what":"%s-%d"}`, who, secret, i), IdempotencyKey: fmt.Sprint(who, i)})
	}
	if _, err := d.Ledger.As(ledger.Caller{Name: "app"}).Append(t.Context(), "people", events, client.Integrated); err != nil {
		t.Fatal(err)
	}
	closeAll(t, d)
	backup := filepath.Join(t.TempDir(), "backup")
	if err := os.CopyFS(backup, os.DirFS(filepath.Join(dir, "data"))); err != nil {
		t.Fatal(err)
	}
	for _, data := range []string{"data", backup} {
		if mine, others := opened(t, dir, data); mine != 100 || others != 100 {
			t.Fatalf("%s: before, %d entries of the person open and %d of others, want 100 each", data, mine, others)
		}
	}

	d = open(t, dir, local.Options{})
	plan, err := d.Ledger.As(ledger.Caller{Name: "custodian"}).Erase(t.Context(), ledger.Erasure{Stream: "people", Subject: person, Reason: "asked to"})
	if err != nil || plan.Entries != 100 {
		t.Fatalf("got %+v, %v, want that 100 entries are closed", plan, err)
	}
	for deadline := time.Now().Add(30 * time.Second); d.KeyState.Current().Epoch == 0 || len(read(t, d, plan.Closes[0].First)) > 0; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the keys are not destroyed")
		}
	}
	closeAll(t, d)
	for _, data := range []string{"data", backup} {
		if mine, others := opened(t, dir, data); mine != 0 || others != 100 {
			t.Errorf("%s: after, %d entries of the person open and %d of others, want none and 100", data, mine, others)
		}
	}
	for _, root := range []string{dir, backup} {
		grep(t, root, person, secret)
	}
}

func closeAll(t *testing.T, d *local.Directory) {
	t.Helper()
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
}

// read returns what an entry says; nothing where it is gone.
func read(t *testing.T, d *local.Directory, index uint64) []byte {
	t.Helper()
	e, err := d.Ledger.As(ledger.Caller{Name: "reader"}).Entry(context.Background(), index)
	var p *client.Problem
	if errors.As(err, &p) && p.Code() == client.Gone {
		return nil
	}
	if err != nil {
		t.Fatal(err)
	}
	if len(e.Disclosure.Parts) == 0 || e.Stream != "people" {
		return nil
	}
	return e.Disclosure.Parts[0].Data
}

// opened opens the ledger over a data directory with the keys that there are
// now, and counts the events that can be read. It works on a copy.
func opened(t *testing.T, dir, data string) (mine, others int) {
	t.Helper()
	tried := filepath.Join(t.TempDir(), "tried")
	if err := os.CopyFS(tried, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	if filepath.IsAbs(data) {
		if err := errors.Join(os.RemoveAll(filepath.Join(tried, "data")), os.CopyFS(filepath.Join(tried, "data"), os.DirFS(data))); err != nil {
			t.Fatal(err)
		}
	}
	private(t, tried)
	d := open(t, tried, local.Options{})
	defer closeAll(t, d)
	size := d.Ledger.Status().Sizes.Sequenced
	for index := range size {
		switch said := read(t, d, index); {
		case bytes.Contains(said, []byte("zebulon")):
			mine++
		case len(said) > 0:
			others++
		}
	}
	return mine, others
}

// private makes the files of keys the owner's alone again, which a copy did not.
func private(t *testing.T, root string) {
	t.Helper()
	err := filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if e.IsDir() {
			return os.Chmod(path, 0o700)
		}
		return os.Chmod(path, 0o600)
	})
	if err != nil {
		t.Fatal(err)
	}
}

// grep looks for words in all files.
func grep(t *testing.T, root string, words ...string) {
	t.Helper()
	err := filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		for _, w := range words {
			if bytes.Contains(data, []byte(w)) {
				t.Errorf("%s holds %q in clear", path, w)
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
