package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"slices"
	"strings"

	"github.com/cairnlog/cairn/proofs"
	"github.com/cairnlog/cairn/proofs/audit"
)

// keptSizes are the sizes of the checkpoints that a ledger keeps, rising; nil:
// not known.
type keptSizes []uint64

// maxKept bounds them: one a minute for sixty years, or one a second for one.
// They take eight bytes each.
const maxKept = 1 << 25

// keptOf lists the checkpoints that a ledger keeps. They are not known where
// they cannot be listed, as those of an export on a web server cannot.
func (p *program) keptOf(ctx context.Context, s *source) (keptSizes, error) {
	if s.log == nil {
		return p.keptIn(s.name)
	}
	kept := keptSizes{}
	for path, err := range s.log.KeptCheckpoints(ctx) {
		if ctx.Err() != nil {
			return nil, err
		}
		if err != nil {
			p.Say("the checkpoints that the ledger keeps are left out: %v", err)
			return nil, nil
		}
		if err := p.keep(&kept, path); err != nil {
			return nil, err
		}
	}
	return kept.sorted(), nil
}

// keptIn lists the kept checkpoints of a directory.
func (p *program) keptIn(dir string) (keptSizes, error) {
	kept := keptSizes{}
	err := fs.WalkDir(os.DirFS(dir), audit.CheckpointsDir, func(path string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil || d.IsDir() {
			return err
		}
		return p.keep(&kept, path)
	})
	return kept.sorted(), err
}

// keep adds the size of a path.
func (p *program) keep(kept *keptSizes, path string) error {
	size, err := proofs.ParseIndexPath(strings.TrimPrefix(path, audit.CheckpointsDir+"/"))
	if err != nil {
		return fmt.Errorf("kept checkpoints: %w", err)
	}
	if len(*kept) == p.maxKept {
		return fmt.Errorf("kept checkpoints: there are more than %d, and this takes no more", p.maxKept)
	}
	*kept = append(*kept, size)
	return nil
}

// sorted returns the sizes in order, each once.
func (k keptSizes) sorted() keptSizes {
	slices.Sort(k)
	return slices.Compact(k)
}

// names returns what is in a directory of kept checkpoints, by the paths that
// they have: of each name whether it is a directory. There is none of a
// directory that is not there.
func (k keptSizes) names(dir string) map[string]bool {
	above, groups, ok := indexDir(dir)
	if !ok {
		return nil
	}
	names := make(map[string]bool)
	first := uint64(0)
	for span := uint64(1); groups < maxGroups; span *= 1000 { // of one name
		for x := above*1000 + first; x <= math.MaxInt64/span; x++ {
			i, _ := slices.BinarySearch(k, x*span)
			if i == len(k) || k[i]/span/1000 != above {
				break
			}
			x = k[i] / span
			if name := fmt.Sprintf("%03d", x%1000); span > 1 {
				names["x"+name] = true
			} else {
				names[name] = false
			}
		}
		groups++
		if above == 0 {
			first = 1 // larger numbers have no zero in front
		}
	}
	return names
}

// maxGroups is how many groups of three digits the largest size has.
const maxGroups = 7

// indexDir reads the path of a directory of kept checkpoints. All numbers in
// "checkpoints/x001/x234" begin with 1234, in two groups of digits.
func indexDir(dir string) (above uint64, groups int, ok bool) {
	place, below := strings.CutPrefix(dir, audit.CheckpointsDir+"/")
	if !below {
		return 0, 0, dir == audit.CheckpointsDir
	}
	at := strings.LastIndexByte(place, '/') + 1
	last, isDir := strings.CutPrefix(place[at:], "x")
	above, err := proofs.ParseIndexPath(place[:at] + last)
	return above, strings.Count(dir, "/"), isDir && err == nil && above > 0 && above <= math.MaxInt64/1000
}
