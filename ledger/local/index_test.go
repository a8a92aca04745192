package local_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/ledger"
	"github.com/cairnlog/cairn/ledger/local"
)

// indexHas waits until the search index has come to the end, and demands that
// it has the number of events.
func indexHas(ctx context.Context, d *local.Directory, want int) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	reader := d.Ledger.As(ledger.Caller{Name: "reader"})
	for {
		size := d.Ledger.Status().Sizes.Published
		counts, err := reader.Count(ctx, client.CountQuery{})
		if err != nil {
			return fmt.Errorf("count: %w", err)
		}
		if counts.Size < size || len(counts.Gaps) > 0 {
			continue // what is asked waits for the index
		}
		if counts.Entries != uint64(want) {
			return fmt.Errorf("the index has %d events of %d", counts.Entries, want)
		}
		return nil
	}
}

// manyEvents are more than a segment of the index, so that it goes to rest.
func manyEvents() (events []client.Event) {
	for i := range 4096 {
		events = append(events, client.Event{Data: fmt.Appendf(nil, `{"n":%d}`, i)})
	}
	return events
}

// TestPowerCutsLeaveAnIndexThatIsRight cuts the power, or kills the process,
// before one step of each kind that the index takes to come to rest.
func TestPowerCutsLeaveAnIndexThatIsRight(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes thousands of entries")
	}
	t.Parallel()
	ctx := t.Context()
	m := newSite(t).newMachine(nil)
	if err := m.makeSure(); err != nil {
		t.Fatal(err)
	}
	name := regexp.MustCompile(`[0-9a-f]{32}`)
	rng := rand.New(rand.NewPCG(1, 2))
	tried := make(map[string]bool)
	d, err := m.open(ctx)
	if err != nil {
		t.Fatal(err)
	}
	events := manyEvents()
	var many bool // are witnessed
	m.before = func(step string) {
		kind := name.ReplaceAllString(step, "FILE")
		if !many || !strings.Contains(step, " search") || tried[kind] {
			return
		}
		tried[kind] = true
		after := m.end(rng)
		d, err := after.open(ctx)
		if err == nil {
			err = errors.Join(indexHas(ctx, d, len(events)), d.Close())
		}
		if err != nil {
			t.Errorf("before %s: %v", kind, err)
		}
	}
	if _, err := d.Ledger.As(ledger.Caller{Name: "app"}).Append(ctx, ledger.DefaultStream, events, client.Witnessed); err != nil {
		t.Fatal(err)
	}
	m.mu.Lock()
	many = true
	m.mu.Unlock()
	if _, err := d.Ledger.As(ledger.Caller{Name: "operator"}).RebuildIndex(ctx); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(indexHas(ctx, d, len(events)), d.Close()); err != nil {
		t.Fatal(err)
	}
	for _, kind := range []string{"create search/FILE", "write search/FILE", "sync search/FILE", "syncdir search", "create search/register.new", "rename search/register"} {
		if !tried[kind] {
			t.Errorf("nothing was tried before %q, but %v", kind, tried)
		}
	}
}

// TestDamageOfTheIndexStopsNothing damages the index in the ways in which disks
// and people do.
func TestDamageOfTheIndexStopsNothing(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes thousands of entries")
	}
	dir := t.TempDir()
	data := filepath.Join(dir, "data", "search")
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(local.Init(t.Context(), dir, local.InitOptions{Origin: "example.com/damage"}))
	damages := []struct {
		name   string
		damage func() error
		anew   bool
	}{
		{"nothing", func() error { return nil }, false},
		{"a file is cut", func() error { return os.Truncate(anyFile(t, data), 100) }, false},
		{"a file is another", func() error { return os.WriteFile(anyFile(t, data), make([]byte, 4096), 0o600) }, false},
		{"a file is lost", func() error { return os.Remove(anyFile(t, data)) }, false},
		{"the register is damaged", func() error { return os.WriteFile(filepath.Join(data, "register"), []byte("x"), 0o600) }, true},
		{"the register is lost", func() error { return os.Remove(filepath.Join(data, "register")) }, false},
		{"the directory is lost", func() error { return os.RemoveAll(data) }, false},
	}
	events := manyEvents()
	for i, c := range damages {
		if i > 0 {
			must(c.damage())
		}
		d, err := local.Open(t.Context(), dir, local.Config{}, local.Options{})
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		if i == 0 {
			_, err = d.Ledger.As(ledger.Caller{Name: "app"}).Append(t.Context(), ledger.DefaultStream, events, client.Witnessed)
			must(err)
		}
		if err := indexHas(t.Context(), d, len(events)); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		if s := d.Ledger.Status().Search; (s.Anew != "") != c.anew || s.Trouble != "" {
			t.Errorf("%s: the index is %+v", c.name, s)
		}
		must(d.Close())
	}
}

// anyFile returns a file of the index that is not its register.
func anyFile(t *testing.T, dir string) string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "[0-9a-f]*[0-9a-f]"))
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	return files[0]
}

// TestNoIndexIsKeptWhereItIsOff says so in the status, and keeps none.
func TestNoIndexIsKeptWhereItIsOff(t *testing.T) {
	d := openWith(t, local.Config{Search: local.Search{Off: true}})
	if s := d.Ledger.Status().Search; s != nil {
		t.Errorf("got %+v, want none", s)
	}
}
