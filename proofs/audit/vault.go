package audit

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"slices"

	"github.com/cairnlog/cairn/proofs"
)

// The vault is judged when all entries are known: only then is it clear what
// shall be there. The entries are read again for that, a bundle at a time.

// A vaultJob is the sealed records of a bundle's entries, to be judged by one
// worker.
type vaultJob struct {
	bundle   proofs.Bundle
	counted  int  // the first entry whose record is counted: an earlier run has counted those before
	seen     seen // its entries, as this run has come to believe them
	concerns []concern
}

// What was seen of a bundle's entries when they were judged.
type seen struct {
	root  node        // over them
	right bool        // their file holds just them,
	file  proofs.Hash // and this is its SHA-256
}

// vaultJobs yields the bundles whose records are judged: those that this run
// has judged, and those before of which it has read that something is closed.
func (a *auditor) vaultJobs(ctx context.Context) iter.Seq2[vaultJob, error] {
	return func(yield func(vaultJob, error) bool) {
		s := sweep{next: a.history.concerns()}
		job := func(index uint64) vaultJob {
			b, _ := proofs.BundleIn(a.head.Size, index)
			first := index * proofs.TileWidth
			return vaultJob{bundle: b, concerns: s.at(first, first+uint64(b.Width))}
		}
		next := uint64(0)
		for _, run := range a.history.since(a.from &^ (proofs.TileWidth - 1)) {
			for next = max(next, run.First/proofs.TileWidth); next <= run.Last/proofs.TileWidth; next++ {
				j := job(next)
				j.counted = proofs.TileWidth
				var err error
				if j.seen.root, err = a.signedRoot(ctx, next); !yield(j, err) || err != nil {
					return
				}
			}
		}
		for i, seen := range a.seen {
			j := job(a.from/proofs.TileWidth + uint64(i))
			j.seen = seen
			if i == 0 {
				j.counted = int(a.from % proofs.TileWidth)
			}
			if !yield(j, nil) {
				return
			}
		}
	}
}

// signedRoot returns the root over a full bundle that an earlier run has
// judged.
func (a *auditor) signedRoot(ctx context.Context, index uint64) (node, error) {
	h, err := a.reader.ReadNodes(ctx, []proofs.NodeID{{Level: proofs.TileHeight, Index: index}})
	if err != nil {
		if !wrong(err) {
			return node{}, err
		}
		a.unrooted++
		return node{}, nil
	}
	return node{h[0], true}, nil
}

// judgeVault judges the records of a bundle's entries.
func (a *auditor) judgeVault(ctx context.Context, j vaultJob) (*vaultChunk, error) {
	v := &vaultChunk{vaultJob: j, history: &a.history, streams: a.streams, runs: map[oddKind]*odd{}}
	if !j.seen.root.known {
		return v, nil // what the records commit to is not known
	}
	var err error
	if v.leaves, err = a.leavesAgain(ctx, v); err != nil || v.leaves == nil {
		return v, err
	}
	v.nameEntries()
	p := vaultPlace(j.bundle)
	used := p.width
	err = a.judgeRecords(ctx, v, p.path(used), used)
	if errors.Is(err, fs.ErrNotExist) && used < proofs.TileWidth {
		used = proofs.TileWidth
		err = a.judgeRecords(ctx, v, p.path(used), used)
	}
	if errors.Is(err, fs.ErrNotExist) {
		v.found = append(v.found, v.missing(p))
		return v, nil
	}
	if err != nil {
		return nil, err
	}
	v.other = true
	widths, err := a.leftovers(p, used)
	for _, w := range widths {
		if err == nil {
			err = a.judgeRecords(ctx, v, p.path(w), w)
		}
	}
	return v, err
}

// leavesAgain reads the entries of a bundle again. It returns none at all where
// they are not those that were judged before: then they were changed meanwhile,
// or served in two versions.
func (l *ledger) leavesAgain(ctx context.Context, v *vaultChunk) ([]vaultLeaf, error) {
	r := &reading{ledger: l, chunk: &chunk{job: job{bundle: v.bundle}}}
	if err := r.readEntries(ctx); err != nil || r.withheld {
		return nil, err
	}
	if right := v.seen.right && r.entries != nil && r.file == v.seen.file; !right {
		for _, step := range []func(context.Context) error{r.readHashes, r.settle} {
			if err := step(ctx); err != nil {
				return nil, err
			}
		}
		if r.hashes != nil && rootOf(r.hashes) != v.seen.root.hash {
			path := bundlePlace(v.bundle).String()
			v.found = append(v.found, v.at(EntryAltered, 0, path, "The entries from %d on were read twice, and were not the same: they were changed meanwhile.", v.first()))
			return nil, nil
		}
	}
	leaves := make([]vaultLeaf, v.bundle.Width)
	for i := range leaves {
		if r.entries != nil && (r.believed == nil || r.believed[i]) {
			leaf, err := proofs.ParseLeaf(r.entries[i])
			leaves[i] = vaultLeaf{leaf, err == nil}
		}
	}
	return leaves, nil
}

// judgeRecords judges one file of records.
func (l *ledger) judgeRecords(ctx context.Context, v *vaultChunk, path string, width int) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	file, err := l.fsys.Open(path)
	if err != nil {
		return fmt.Errorf("read %s: %w", path, err)
	}
	defer file.Close()
	r := NewRecordReader(file)
	for i := range width {
		record, err := r.Next()
		if err != nil {
			if !errors.Is(err, proofs.ErrMalformed) {
				return fmt.Errorf("read %s: %w", path, err)
			}
			v.found = append(v.found, v.at(VaultMalformed, i, path, "The file of sealed records is damaged at entry %d: %v.", v.first()+uint64(i), why(err)))
			return nil
		}
		if i < len(v.leaves) {
			v.judgeRecord(path, i, record)
		}
	}
	if err := r.End(); errors.Is(err, proofs.ErrMalformed) {
		v.found = append(v.found, v.at(VaultMalformed, 0, path, "The file of sealed records from entry %d on is damaged: it goes on after the last one.", v.first()))
	} else if err != nil {
		return fmt.Errorf("read %s: %w", path, err)
	}
	return nil
}

// rootOf returns the root over the entries of a bundle.
func rootOf(hashes []proofs.Hash) proofs.Hash {
	var f frontier
	for _, h := range hashes {
		f.push(h)
	}
	return foldRight(f.nodes)
}

// erasedIn reports whether a record lacks a part or tags.
func erasedIn(r proofs.Record) bool {
	return slices.ContainsFunc(r.Parts, func(p proofs.RecordPart) bool { return p.Sealed == nil }) ||
		slices.ContainsFunc(r.Tags, func(t proofs.RecordTags) bool { return t.Sealed == nil })
}
