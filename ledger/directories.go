package ledger

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/cairnlog/cairn/proofs"
	"github.com/cairnlog/cairn/storage"
)

// Directories make it possible to show that a search left nothing out: each
// segment of the log has one, which lists for every tag in it the entries that
// have it (see package proofs). They are made behind the tree, of the tags in
// the vault; the sequencer puts each into the log at its place, and waits there
// for one that is not made yet.
//
//	made       head and rows, when all of the segment is in the vault
//	kept       the head, in an object that is named by its hash
//	committed  the entry at its place says the hash
//
// An erasure takes tags away: then directories that had them are made anew, and
// one more entry commits to them. Rows are kept for a while, and otherwise made
// again when somebody asks.
type directories struct {
	l    *Ledger
	next directoryList // as the sequencer goes on, and nobody else's

	mu      sync.Mutex
	list    directoryList                          // of what is sequenced
	made    map[uint64][]proofs.MadeDirectory      // by small segment; with a large one where that ends one
	changed chan struct{}                          // closed when something is made or committed
	recent  recent[proofs.SegmentID, *segmentRows] // by bytes
	unread  []uint64                               // entries that were found to be so, rising
	trouble string                                 // why the next one cannot be made
	fed     fedTags
}

// A directoryList is what the directory entries so far commit to.
type directoryList struct {
	small, large []proofs.Hash
	entry        uint64 // index of the last one; 0: there is none
	amended      uint64 // index of the last that stands at no place
}

func newDirectories(l *Ledger) *directories {
	return &directories{l: l, made: make(map[uint64][]proofs.MadeDirectory), changed: make(chan struct{})}
}

// place returns the number of the segment whose directory belongs at an index.
func (d *directories) place(index uint64) (segment uint64, ok bool) {
	segment = uint64(len(d.next.small))
	return segment, index == proofs.DirectoryPlace(segment)
}

// entry returns the directory entry for a place, once it is made.
func (d *directories) entry(ctx context.Context, segment uint64) (*admission, error) {
	for {
		d.mu.Lock()
		made, changed := d.made[segment], d.changed
		d.mu.Unlock()
		if made != nil {
			return d.commit(made)
		}
		select {
		case <-changed:
		case <-d.l.failed:
			return nil, d.l.Stopped()
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// commit returns the entry that commits to new directories, or to some that are
// made anew. Only the sequencer calls it, for entries that it appends next.
func (d *directories) commit(made []proofs.MadeDirectory) (*admission, error) {
	d.next.set(made)
	control, err := proofs.FormatDirectory(proofs.DirectoryBody{
		Segments: uint64(len(d.next.small)), Amended: d.next.amended, Made: made,
		Small: proofs.DirectoriesRoot(d.next.small), Large: proofs.DirectoriesRoot(d.next.large),
	})
	if err != nil {
		return nil, err
	}
	return openControl(proofs.Directory, control), nil
}

// set takes over hashes of directories: of the next ones, or others of some that
// are there.
func (l *directoryList) set(made []proofs.MadeDirectory) {
	for _, m := range made {
		list := &l.small
		if m.Segment.Large {
			list = &l.large
		}
		if m.Segment.Number < uint64(len(*list)) {
			*list = slices.Clone(*list) // others may read it
			(*list)[m.Segment.Number] = m.Hash
			continue
		}
		*list = append(*list, m.Hash)
	}
}

// of returns the hash of a directory that is committed to.
func (l *directoryList) of(id proofs.SegmentID) (h proofs.Hash, ok bool) {
	list := l.small
	if id.Large {
		list = l.large
	}
	if id.Number >= uint64(len(list)) {
		return h, false
	}
	return list[id.Number], true
}

// applied takes note of an entry that is sequenced.
func (d *directories) applied(index uint64, leaf proofs.Leaf) error {
	if leaf.Kind != proofs.Directory {
		return nil
	}
	body, err := proofs.ParseDirectory(leaf.Control)
	if err != nil {
		return fmt.Errorf("entry %d: %w", index, err)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.list.apply(index, body); err != nil {
		return fmt.Errorf("entry %d: %w", index, err)
	}
	d.next.entry, d.next.amended = d.list.entry, d.list.amended
	delete(d.made, body.Segments-1)
	d.fed.drop(body.Segments * proofs.SegmentSize)
	d.wake()
	return nil
}

// apply takes over what a directory entry says.
func (l *directoryList) apply(index uint64, body proofs.DirectoryBody) error {
	l.set(body.Made)
	if uint64(len(l.small)) != body.Segments || uint64(len(l.large)) != body.LargeSegments() {
		return fmt.Errorf("it commits to %d directories, and there are %d: %w", body.Segments, len(l.small), storage.ErrCorrupt)
	}
	l.entry = index
	if index != proofs.DirectoryPlace(body.Segments-1) {
		l.amended = index
	}
	return nil
}

// load reads what the directory entries of the tree say. It is called before
// anything is sequenced.
func (d *directories) load(ctx context.Context, size uint64) error {
	d.fed = fedTags{from: size, next: size}
	n := proofs.DirectoriesAt(size)
	if n == 0 {
		return nil
	}
	last, err := d.lastEntry(ctx, n-1, size)
	if err != nil {
		return err
	}
	var amended []proofs.DirectoryBody // the newest first
	for at := last.Amended; at > 0; {
		body, err := d.read(ctx, at)
		if err != nil {
			return err
		}
		amended = append(amended, body)
		at = body.Amended
	}
	for segment := range n {
		body, err := d.read(ctx, proofs.DirectoryPlace(segment))
		if err != nil {
			return err
		}
		d.list.set(body.Made)
	}
	for _, body := range slices.Backward(amended) {
		d.list.set(body.Made)
	}
	d.list.amended = last.Amended
	if err := d.list.apply(d.list.entry, last); err != nil {
		return fmt.Errorf("entry %d: %w", d.list.entry, err)
	}
	if proofs.DirectoriesRoot(d.list.small) != last.Small || proofs.DirectoriesRoot(d.list.large) != last.Large {
		return fmt.Errorf("entry %d commits to other directories than those that the log has: %w", d.list.entry, storage.ErrCorrupt)
	}
	d.next = d.list
	return nil
}

// lastEntry finds the last directory entry of a tree, at the place of a segment
// or behind it.
func (d *directories) lastEntry(ctx context.Context, segment, size uint64) (body proofs.DirectoryBody, err error) {
	from := proofs.DirectoryPlace(segment)
	leaves, err := d.l.leaves(ctx, from, size)
	if err != nil {
		return body, fmt.Errorf("entries from %d on: %w", from, err)
	}
	for i, b := range slices.Backward(leaves) {
		leaf, err := proofs.ParseLeaf(b)
		if err != nil {
			return body, fmt.Errorf("entry %d: %w", from+uint64(i), err)
		}
		if leaf.Kind == proofs.Directory {
			d.list.entry = from + uint64(i)
			return proofs.ParseDirectory(leaf.Control)
		}
	}
	return body, fmt.Errorf("entry %d should be the directory of segment %d: %w", from, segment, storage.ErrCorrupt)
}

// read reads a directory entry.
func (d *directories) read(ctx context.Context, index uint64) (body proofs.DirectoryBody, err error) {
	leaf, err := d.l.leaf(ctx, index)
	if err == nil && leaf.Kind != proofs.Directory {
		err = fmt.Errorf("it should be a directory: %w", storage.ErrCorrupt)
	}
	if err == nil {
		body, err = proofs.ParseDirectory(leaf.Control)
	}
	if err != nil {
		return body, fmt.Errorf("entry %d: %w", index, err)
	}
	return body, nil
}

// run makes the directories of segments that are in the vault until the context
// ends.
func (d *directories) run(ctx context.Context) {
	for {
		segment := d.unmade()
		id := proofs.SegmentID{Number: segment}
		err := d.l.progress.wait(ctx, func(p *progress) bool { return p.sizes.Integrated >= id.End() || d.unmade() != segment })
		if err != nil {
			return
		}
		if d.unmade() != segment {
			continue
		}
		err = d.make(ctx, segment)
		if errors.Is(err, errUnreadable) {
			d.waitToRead(ctx, id, err)
			continue
		}
		d.setTrouble("")
		if err != nil {
			if ctx.Err() == nil {
				d.l.stop(fmt.Errorf("directory of %s: %w", id, err))
			}
			return
		}
	}
}

// unmade returns the number of the first segment whose directory is not made.
func (d *directories) unmade() uint64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	segment := uint64(len(d.list.small))
	for d.made[segment] != nil {
		segment++
	}
	return segment
}

// forget drops what was made and is not committed to, and all rows: keys are
// destroyed that some of it needed.
func (d *directories) forget() {
	d.mu.Lock()
	clear(d.made)
	d.recent.clear()
	d.fed.clear()
	d.mu.Unlock()
	d.l.progress.update(func(*progress) {}) // so that run looks again
}

// make makes the directory of a small segment, and of the large one that ends
// with it.
func (d *directories) make(ctx context.Context, segment uint64) error {
	started := d.l.keys.forgotten()
	ids := []proofs.SegmentID{{Number: segment}}
	if (segment+1)%proofs.LargeSegments == 0 {
		ids = append(ids, proofs.SegmentID{Large: true, Number: segment / proofs.LargeSegments})
	}
	var made []proofs.MadeDirectory
	for _, id := range ids {
		hash, err := d.build(ctx, id, nil)
		if err != nil {
			return err
		}
		made = append(made, proofs.MadeDirectory{Segment: id, Hash: hash})
	}
	if d.l.keys.forgotten() != started {
		return nil // keys were destroyed meanwhile: once more
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.made[segment] = made
	d.wake()
	return nil
}

// wake wakes everybody who waits for a directory. The caller has the lock.
func (d *directories) wake() {
	close(d.changed)
	d.changed = make(chan struct{})
}

// keepHead keeps a head where its hash finds it.
func (d *directories) keepHead(ctx context.Context, head proofs.DirectoryHead) (hash proofs.Hash, err error) {
	data, err := proofs.FormatDirectoryHead(head)
	if err == nil {
		hash, err = head.Hash()
	}
	if err != nil {
		return hash, err
	}
	if err := d.l.cfg.Objects.Put(ctx, headName(hash), data); err != nil {
		return hash, fmt.Errorf("%s: %w", headName(hash), err)
	}
	return hash, nil
}

func headName(hash proofs.Hash) string { return "directories/" + hex.EncodeToString(hash[:]) }

// head reads a head that was kept.
func (d *directories) head(ctx context.Context, hash proofs.Hash) (head proofs.DirectoryHead, err error) {
	data, err := d.l.cfg.Objects.Read(ctx, headName(hash))
	if err != nil {
		return head, fmt.Errorf("%s: %w", headName(hash), err)
	}
	if head, err = proofs.ParseDirectoryHead(data); err != nil {
		return head, fmt.Errorf("%s: %w", headName(hash), errors.Join(err, storage.ErrCorrupt))
	}
	if got, err := head.Hash(); err != nil || got != hash {
		return head, fmt.Errorf("%s: it has another hash: %w", headName(hash), storage.ErrCorrupt)
	}
	return head, nil
}
