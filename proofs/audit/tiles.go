package audit

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"github.com/cairnlog/cairn/proofs"
)

// firstEntry returns the index of the first entry below a tile's i-th node.
func firstEntry(t proofs.Tile, i int) uint64 {
	return (t.Index*proofs.TileWidth + uint64(i)) << (proofs.TileHeight * uint(t.Level))
}

// readTile returns the hashes of a tile and the width of its file, or a finding
// where that is not there or has the wrong size.
func (l *ledger) readTile(ctx context.Context, t proofs.Tile) (hashes []proofs.Hash, used int, f *Finding, err error) {
	p := tilePlace(t)
	b, used, err := l.read(ctx, p)
	f = &Finding{Kind: TileMissing, Index: int64(firstEntry(t, 0)), Path: p.String(),
		Detail: fmt.Sprintf("Hashes of the entries from %d on are missing: there is no such file.", firstEntry(t, 0))}
	if errors.Is(err, fs.ErrNotExist) {
		return nil, used, f, nil
	}
	if err == nil {
		hashes, err = proofs.ParseTile(b, used)
	}
	switch {
	case wrong(err):
		f.Kind, f.Path = TileMalformed, p.path(used)
		f.Detail = fmt.Sprintf("The file with hashes of the entries from %d on is damaged: %v.", firstEntry(t, 0), why(err))
		return nil, used, f, nil
	case err != nil:
		return nil, used, nil, fmt.Errorf("read %v: %w", p, err)
	}
	return hashes[:t.Width], used, nil, nil
}

// compareTile demands that other files of a tile have the same hashes. It
// returns what is wrong, and how many files it compared.
func (l *ledger) compareTile(ctx context.Context, t proofs.Tile, hashes []proofs.Hash, used int) (found []Finding, n uint64, err error) {
	p := tilePlace(t)
	widths, err := l.leftovers(p, used)
	if err != nil {
		return nil, 0, err
	}
	for _, w := range widths {
		other, _, f, err := l.readTile(ctx, proofs.Tile{Level: t.Level, Index: t.Index, Width: w})
		if err != nil {
			return nil, 0, err
		}
		if f != nil {
			found = append(found, *f)
			continue
		}
		n++
		for i := range min(w, len(hashes)) {
			if other[i] != hashes[i] {
				found = append(found, Finding{Kind: TileAltered, Index: int64(firstEntry(t, i)), Path: p.path(w),
					Detail: fmt.Sprintf("The hash over entry %d is another one here than that which was signed.", firstEntry(t, i))})
			}
		}
	}
	return found, n, nil
}

// vouched reports whether the tile above, as it is, holds the root of a tile's
// hashes: two files against one, where none of them is known to be right.
func (l *ledger) vouched(ctx context.Context, t proofs.Tile, hashes []proofs.Hash) (bool, error) {
	above, ok := proofs.TileIn(l.head.Size, t.Level+1, t.Index/proofs.TileWidth)
	if !ok || len(hashes) < proofs.TileWidth {
		return false, nil
	}
	published, _, _, err := l.readTile(ctx, above)
	if err != nil || published == nil {
		return false, err
	}
	var f frontier
	for _, h := range hashes {
		f.push(h)
	}
	return published[t.Index%proofs.TileWidth] == f.nodes[0], nil
}
