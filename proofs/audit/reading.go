package audit

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"

	"github.com/cairnlog/cairn/proofs"
)

// A reading is the files of a bundle and its tile while they are judged.
type reading struct {
	*ledger
	*chunk

	entries    [][]byte    // nil where their file is not there or is none
	file       proofs.Hash // SHA-256 of it, where there is a vault to be judged by them
	usedBundle int         // the width of the file that they are from
	published  []proofs.Hash
	usedTile   int

	hashes   []proofs.Hash // of the entries, as far as anything tells; nil: not known
	believed []bool        // by entry: its bytes are the ones that were signed
}

func (r *reading) tile() proofs.Tile {
	return proofs.Tile{Level: 0, Index: r.bundle.Index, Width: r.bundle.Width}
}

// altered returns the finding about an entry that is not the signed one.
func (r *reading) altered(i int, path string) Finding {
	return r.at(EntryAltered, i, path, "Entry %d is not the one that the log signed: its bytes were changed.", r.first()+uint64(i))
}

// readEntries reads the entries of the bundle.
func (r *reading) readEntries(ctx context.Context) error {
	p := bundlePlace(r.bundle)
	b, used, err := r.read(ctx, p)
	r.usedBundle = used
	if errors.Is(err, fs.ErrNotExist) {
		if r.withheld, err = r.mayWithhold(ctx, r.bundle); r.withheld || err != nil {
			return err
		}
		r.found = append(r.found, r.whole(BundleMissing, p.String(), "The entries from %d on are missing: there is no such file.", r.first()))
		return nil
	}
	var entries [][]byte
	if err == nil {
		entries, err = proofs.ParseBundle(b, used)
	}
	switch {
	case wrong(err):
		r.found = append(r.found, r.whole(BundleMalformed, p.path(used), "The file of the entries from %d on is damaged: %v.", r.first(), why(err)))
	case err != nil:
		return fmt.Errorf("read %v: %w", p, err)
	default:
		r.entries = entries[:r.bundle.Width]
		r.bundles++
		if r.vault {
			r.file = sha256.Sum256(b)
		}
	}
	return nil
}

// readHashes reads the tile at level 0 that belongs to the bundle.
func (r *reading) readHashes(ctx context.Context) error {
	hashes, used, f, err := r.readTile(ctx, r.tile())
	if err != nil {
		return err
	}
	r.published, r.usedTile = hashes, used
	if f != nil {
		f.end = f.Index + int64(r.bundle.Width)
		r.found = append(r.found, *f)
	} else {
		r.tiles++
	}
	return nil
}

// settle decides what the hashes of the entries are. Where an entry and the
// tile contradict each other, a tile that leads to the signed root is right.
func (r *reading) settle(ctx context.Context) error {
	r.hashes, r.believed = make([]proofs.Hash, r.bundle.Width), make([]bool, r.bundle.Width)
	var differ []proofs.NodeID
	for i := range r.hashes {
		if r.entries != nil {
			r.hashes[i], r.believed[i] = proofs.LeafHash(r.entries[i]), true
		}
		if r.entries == nil || r.published != nil && r.hashes[i] != r.published[i] {
			differ = append(differ, proofs.NodeID{Level: 0, Index: r.first() + uint64(i)})
		}
	}
	if len(differ) == 0 {
		return nil
	}
	signed, err := r.reader.ReadNodes(ctx, differ)
	switch {
	case err != nil && !wrong(err):
		return err
	case err != nil && r.entries == nil:
		r.hashes = nil
		return nil
	case err != nil:
		return r.dispute(ctx, differ)
	}
	for n, id := range differ {
		i := int(id.Index - r.first())
		if r.entries != nil && r.hashes[i] != signed[n] {
			r.believed[i] = false
			r.found = append(r.found, r.altered(i, bundlePlace(r.bundle).path(r.usedBundle)))
		}
		r.hashes[i] = signed[n]
	}
	return nil
}

// dispute chooses between entries and hashes where nothing signed decides.
func (r *reading) dispute(ctx context.Context, differ []proofs.NodeID) error {
	vouched, err := r.vouched(ctx, r.tile(), r.published)
	if err != nil {
		return err
	}
	for _, id := range differ {
		i := int(id.Index - r.first())
		below := r.altered(i, bundlePlace(r.bundle).path(r.usedBundle))
		r.disputes = append(r.disputes, dispute{id.Index, below, tilePlace(r.tile()).path(r.usedTile), vouched})
		if vouched {
			r.hashes[i], r.believed[i] = r.published[i], false
		}
	}
	return nil
}

// compareOthers demands that the other files of the bundle and of its tile have
// the same entries and hashes.
func (r *reading) compareOthers(ctx context.Context) error {
	if r.hashes == nil {
		return nil
	}
	found, n, err := r.compareTile(ctx, r.tile(), r.hashes, r.usedTile)
	if err != nil {
		return err
	}
	r.found, r.tiles = append(r.found, found...), r.tiles+n
	p := bundlePlace(r.bundle)
	widths, err := r.leftovers(p, r.usedBundle)
	for _, w := range widths {
		if err == nil {
			err = r.compareBundle(ctx, p.path(w), w)
		}
	}
	return err
}

// compareBundle demands that another file of the bundle has the same entries.
func (r *reading) compareBundle(ctx context.Context, path string, width int) error {
	b, err := r.files.ReadFile(ctx, path)
	if err != nil && !wrong(err) {
		return fmt.Errorf("read %s: %w", path, err)
	}
	var others [][]byte
	if err == nil {
		others, err = proofs.ParseBundle(b, width)
	}
	if err != nil {
		r.found = append(r.found, r.at(BundleMalformed, 0, path, "The file of the entries from %d on is damaged: %v.", r.first(), why(err)))
		return nil
	}
	r.bundles++
	for i := range min(width, r.bundle.Width) {
		same := r.believed[i] && bytes.Equal(others[i], r.entries[i]) // or, slower:
		if !same && proofs.LeafHash(others[i]) != r.hashes[i] {
			r.found = append(r.found, r.altered(i, path))
		}
	}
	return nil
}

// signedEdge returns the root of a full bundle whose entries are not known, if
// a tile above it tells.
func (r *reading) signedEdge(ctx context.Context) ([]proofs.Hash, error) {
	if r.bundle.Width < proofs.TileWidth {
		return nil, nil
	}
	root, err := r.reader.ReadNodes(ctx, []proofs.NodeID{{Level: proofs.TileHeight, Index: r.bundle.Index}})
	if err != nil && !wrong(err) {
		return nil, err
	}
	return root, nil
}
