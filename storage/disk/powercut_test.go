package disk_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/cairnlog/cairn/storage/disk"
	"github.com/cairnlog/cairn/storage/disk/memfs"
)

// TestPowerCutsDuringErasures cuts the power before each durable step of an
// erasure and after the last one, and keeps nothing that was not synced, or any
// part of it.
func TestPowerCutsDuringErasures(t *testing.T) {
	t.Parallel()
	for name, e := range erasures() {
		t.Run(name, func(t *testing.T) {
			for _, wrong := range powerCuts(t, e, nil) {
				t.Error(wrong)
			}
		})
	}
}

// TestPowerCutsShowLies is the proof that the test above sees something: a disk
// that leaves out any kind of sync, or does not remove files, is found out.
func TestPowerCutsShowLies(t *testing.T) {
	t.Parallel()
	lies := map[string]func(op, name string) bool{
		"records": func(op, name string) bool { return op == "sync" && strings.HasSuffix(name, ".records") },
		"rows":    func(op, name string) bool { return op == "sync" && strings.HasSuffix(name, ".rows") },
		"extents": func(op, name string) bool { return op == "sync" && strings.HasSuffix(name, "extents") },
		"names":   func(op, _ string) bool { return op == "syncdir" },
		"removal": func(op, _ string) bool { return op == "remove" },
	}
	for name, told := range map[string][]string{
		"rewrite":            {"records", "rows", "extents", "names", "removal"},
		"rewrite to nothing": {"extents", "names", "removal"},
		"drop":               {"extents", "names", "removal"},
		"remove":             {"names", "removal"},
	} {
		for _, lie := range told {
			t.Run(name+", "+lie, func(t *testing.T) {
				if wrong := powerCuts(t, erasures()[name], lies[lie]); len(wrong) == 0 {
					t.Error("nothing is wrong")
				}
			})
		}
	}
}

// powerCuts does an erasure on a disk that leaves out the steps about which it
// lies, and returns what it found to be wrong.
func powerCuts(t *testing.T, e erasure, lies func(op, name string) bool) (wrong []string) {
	t.Helper()
	rng := rand.New(rand.NewPCG(1, 1))
	h := &hookFS{FS: memfs.New(nil)}
	d, err := disk.Open("simulated", disk.SmallFiles(disk.Options{Create: true, FS: h}))
	must(t, err)
	must(t, e.fill(t, d))
	before, err := e.read(t, d)
	must(t, err)
	durable, err := e.read(t, openSimulated(t, h.Crash(nil))) // of what is before
	must(t, err)
	var cuts []*memfs.FS
	var steps []string
	cut := func(step string) {
		for _, rng := range []*rand.Rand{nil, rng, rng, rng} {
			cuts, steps = append(cuts, h.Crash(rng)), append(steps, step)
		}
	}
	h.allow = func(op, name string) bool {
		cut(op + " " + name)
		return lies == nil || !lies(op, name)
	}
	must(t, e.do(t, d))
	h.allow = nil
	after, err := e.read(t, d)
	must(t, err)
	done := len(cuts)
	cut("done")
	for n, left := range cuts {
		what := "before " + steps[n]
		if n >= done {
			what = "when it is done"
			if found := grep(t, left, marker); len(found) > 0 {
				wrong = append(wrong, fmt.Sprintf("%s: the marker is in %q", what, found))
			}
		}
		got, err := e.read(t, openSimulated(t, left))
		old := got == before || strings.HasPrefix(got, durable) && strings.HasPrefix(before, got)
		if err != nil || got != after && (n >= done || !old) {
			wrong = append(wrong, fmt.Sprintf("%s: error %v, holds %q", what, err, got))
		}
	}
	return wrong
}
