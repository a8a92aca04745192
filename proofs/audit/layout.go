package audit

import (
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"math"
	"strconv"
	"strings"

	"github.com/cairnlog/cairn/proofs"
)

// Where the files of a ledger lie.
const (
	CheckpointFile = "checkpoint"
	InfoFile       = "log" // what a ledger says of itself
	CheckpointsDir = "checkpoints"
	VaultDir       = "vault"
	ReceiptsDir    = "receipts"
	ReceiptSuffix  = ".tlog-proof"
)

// CheckpointPath returns where the kept checkpoint of a size lies:
// "checkpoints/x001/234". Of a size that was published more than once it is one
// of the checkpoints.
func CheckpointPath(size uint64) string { return CheckpointsDir + "/" + proofs.FormatIndexPath(size) }

// VaultPath returns where the sealed records of a bundle's entries lie:
// "vault/x001/234" or, if the bundle is partial, "vault/x001/234.p/5".
func VaultPath(b proofs.Bundle) string {
	return VaultDir + strings.TrimPrefix(b.Path(), "tile/entries")
}

// partialWidths lists the widths of the partial files beside a full path, in
// no order.
func partialWidths(fsys fs.FS, full string) (widths []int, err error) {
	list, err := fs.ReadDir(fsys, full+".p")
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	for _, e := range list {
		if w, err := strconv.Atoi(e.Name()); err == nil && 0 < w && w < proofs.TileWidth && strconv.Itoa(w) == e.Name() {
			widths = append(widths, w)
		}
	}
	return widths, err
}

// numbered yields the numbers within [from, to] that have a file below dir, by
// the paths of [proofs.FormatIndexPath], in rising order. Names of other forms
// are passed over. It reads one directory of at most 2,000 names at a time.
func numbered(fsys fs.FS, dir string, from, to uint64) iter.Seq2[uint64, error] {
	return func(yield func(uint64, error) bool) {
		w := numberWalk{fsys, from, to, yield}
		// A number of few digits comes before one of more, but a directory holds
		// both; so there is a walk for each count of groups.
		for groups, first := 1, uint64(0); groups <= 7 && first <= to; groups++ {
			if !w.walk(dir, 0, groups, groups) {
				return
			}
			first = max(first, 1) * 1000
		}
	}
}

type numberWalk struct {
	fsys     fs.FS
	from, to uint64
	yield    func(uint64, error) bool
}

// walk goes below a directory whose path says n, which has more groups below
// it out of all. It returns false when the walk is over.
func (w numberWalk) walk(dir string, n uint64, more, all int) bool {
	list, err := fs.ReadDir(w.fsys, dir)
	if errors.Is(err, fs.ErrNotExist) {
		return true
	}
	if err != nil {
		w.yield(0, fmt.Errorf("list %s: %w", dir, err))
		return false
	}
	for _, e := range list {
		name, isDir := strings.CutPrefix(e.Name(), "x")
		d, err := strconv.ParseUint(name, 10, 16)
		if err != nil || len(name) != 3 || isDir != (more > 1) || isDir != e.IsDir() || d == 0 && isDir && more == all {
			continue
		}
		next := n*1000 + d
		span := uint64(math.Pow10(3 * (more - 1)))
		if next > math.MaxInt64/span || (next+1)*span-1 < w.from || next*span > w.to {
			continue
		}
		if isDir {
			if !w.walk(dir+"/"+e.Name(), next, more-1, all) {
				return false
			}
		} else if !w.yield(next, nil) {
			return false
		}
	}
	return true
}
