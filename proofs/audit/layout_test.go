package audit

import (
	"errors"
	"io/fs"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/fstest"

	"github.com/cairnlog/cairn/proofs"
)

func TestPaths(t *testing.T) {
	for size, want := range map[uint64]string{
		0: "checkpoints/000", 999: "checkpoints/999", 1000: "checkpoints/x001/000", 1234067: "checkpoints/x001/x234/067",
	} {
		if got := CheckpointPath(size); got != want {
			t.Errorf("CheckpointPath(%d) = %q, want %q", size, got, want)
		}
	}
	for want, b := range map[string]proofs.Bundle{
		"vault/000": {Index: 0, Width: 256}, "vault/x001/234.p/5": {Index: 1234, Width: 5},
	} {
		if got := VaultPath(b); got != want {
			t.Errorf("VaultPath(%v) = %q, want %q", b, got, want)
		}
	}
}

// The numbers below a directory are found in order, whatever their count of
// digits, and names of other forms are passed over.
func TestNumberedFindsAllInOrder(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	files := fstest.MapFS{}
	var all []uint64
	for bits := range 63 {
		for range 4 {
			n := rnd.Uint64N(1<<(bits+1) - 1)
			all = append(all, n)
		}
	}
	all = append(all, 0, 999, 1000, 1_000_000, 999_999, 1<<63-1)
	for _, n := range all {
		files[CheckpointPath(n)] = &fstest.MapFile{}
	}
	for _, name := range []string{"1", "0001", "x000/001", "x001", "x001/x000", "abc", "x001/000.tmp", "+01", "x00a/001", "001.p/5"} {
		if files["checkpoints/"+name] == nil {
			files["checkpoints/"+name+"/other"] = &fstest.MapFile{}
		}
	}
	slices.Sort(all)
	all = slices.Compact(all)
	for range 300 {
		from, to := all[rnd.IntN(len(all))]+rnd.Uint64N(2), all[rnd.IntN(len(all))]
		var got, want []uint64
		for n, err := range numbered(files, CheckpointsDir, from, to) {
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, n)
		}
		for _, n := range all {
			if from <= n && n <= to {
				want = append(want, n)
			}
		}
		if !slices.Equal(got, want) {
			t.Fatalf("within [%d, %d]: %d\nwant %d", from, to, got, want)
		}
	}
}

func TestNumberedStops(t *testing.T) {
	files := fstest.MapFS{"d/000": {}, "d/001": {}, "d/x001/000": {}}
	for n := range numbered(files, "d", 0, 1<<62) {
		if n == 1 {
			break
		}
	}
	for n, err := range numbered(files, "nothing", 0, 1<<62) {
		t.Errorf("of a directory that is not there: %d, %v", n, err)
	}
	seen := false
	for _, err := range numbered(unlisted{files}, "d", 0, 1<<62) {
		if seen = true; !errors.Is(err, errUnlisted) {
			t.Errorf("of a directory that can't be read: %v", err)
		}
	}
	if !seen {
		t.Error("of a directory that can't be read: nothing")
	}
}

var errUnlisted = errors.New("can't be listed")

type unlisted struct{ fs.FS }

func (unlisted) ReadDir(string) ([]fs.DirEntry, error) { return nil, errUnlisted }
