package disk

import (
	"context"
	"fmt"
	"path"
	"strconv"
	"sync"

	"github.com/cairnlog/cairn/storage"
)

// A Journal is a storage.Journal in a directory: segments named by the position
// of their first record, 16 hexadecimal digits, each continuing the one before.
// An append is one write and one fdatasync. Records are authenticated by a
// chain of HMAC-SHA-256 under the key that the journal is opened with, so that
// a changed, reordered or omitted record shows; without a key that holds for
// accidents only. What the chain cannot show is that whole segments are
// missing at the end: whoever needs to know keeps the position elsewhere.
//
// Opening reads the last segment; the older ones are checked as far as they
// are replayed.
type Journal struct {
	site
	health health
	chain  chain

	mu       sync.Mutex // guards what follows, held through a whole append
	segments []uint64   // first positions, rising; the last is the active one's
	active   *segment
}

const journalLabel = "cairn journal v1"

// openJournal opens the journal in a directory that exists. With create it
// starts one if there is none, else that is storage.ErrNotFound.
func openJournal(at site, key []byte) (*Journal, error) {
	j := &Journal{site: at, chain: chain{journalLabel, key}}
	if err := j.list(); err != nil {
		return nil, err
	}
	var err error
	switch {
	case len(j.segments) > 0:
		err = j.reopen()
	case j.create:
		err = j.begin(link{})
	default:
		err = fmt.Errorf("no segments: %w", storage.ErrNotFound)
	}
	if err != nil {
		return nil, err
	}
	return j, nil
}

// list finds the segments and makes their names durable: the last one's may be
// in the kernel's memory only.
func (j *Journal) list() error {
	infos, err := j.fs.ReadDir(j.name)
	if err != nil {
		return err
	}
	for _, info := range infos {
		first, err := strconv.ParseUint(info.Name, 16, 64)
		if err == nil && info.Name == segmentName(first) {
			j.segments = append(j.segments, first)
		}
	}
	return j.fs.SyncDir(j.name)
}

func segmentName(first uint64) string { return fmt.Sprintf("%016x", first) }

func (j *Journal) path(first uint64) string { return path.Join(j.name, segmentName(first)) }

// reopen opens the last segment.
func (j *Journal) reopen() error {
	name := j.path(j.segments[len(j.segments)-1])
	info, err := j.fs.Stat(name)
	if err != nil {
		return err
	}
	f, err := j.fs.Open(name)
	if err != nil {
		return err
	}
	j.active, err = recoverSegment(f, info.Size, j.chain, func([]byte) error { return nil })
	if err == nil && segmentName(j.active.first) != path.Base(name) {
		err = fmt.Errorf("begins at record %d: %w", j.active.first, storage.ErrCorrupt)
	}
	if err != nil {
		_ = f.Close()
		return fmt.Errorf("%s: %w", name, err)
	}
	j.active.ahead = j.limits.Ahead
	return nil
}

// begin starts a new segment. The error is as that of place.
func (j *Journal) begin(at link) error {
	name := j.path(at.position)
	var s *segment
	err := place(j.fs, name, path.Join(j.name, ".new"), func(f File) (err error) {
		s, err = writeSegment(f, j.chain, at, nil)
		return err
	})
	if err != nil {
		return err
	}
	if s.file, err = j.fs.Open(name); err != nil {
		return err
	}
	if j.active != nil {
		_ = j.active.file.Close() // every byte of it was synced
	}
	s.ahead = j.limits.Ahead
	j.active, j.segments = s, append(j.segments, at.position)
	return nil
}

// Append implements storage.Journal.
func (j *Journal) Append(ctx context.Context, record []byte) (uint64, error) {
	if len(record) < 1 || len(record) > storage.MaxJournalRecord {
		return 0, fmt.Errorf("journal record: %d bytes: %w", len(record), storage.ErrInvalid)
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if err := j.health.check(ctx); err != nil {
		return 0, err
	}
	if j.active.end >= j.limits.Segment {
		if err := j.begin(j.active.at); err != nil {
			return 0, j.health.doubt(fmt.Errorf("journal: begin a segment: %w", err))
		}
	}
	position := j.active.at.position
	if err := j.active.append(record); err != nil {
		return 0, j.health.doubt(fmt.Errorf("journal: append record %d: %w", position, err))
	}
	return position, nil
}

// Replay implements storage.Journal.
func (j *Journal) Replay(ctx context.Context, from uint64, fn func(uint64, []byte) error) error {
	if err := j.health.check(ctx); err != nil {
		return err
	}
	j.mu.Lock()
	segments, next := append([]uint64(nil), j.segments...), j.active.at.position
	j.mu.Unlock()
	if from < segments[0] || from > next {
		return fmt.Errorf("journal position %d of [%d, %d): %w", from, segments[0], next, storage.ErrNotFound)
	}
	r := replay{journal: j, from: from, fn: fn}
	for i, first := range segments {
		end := next
		if i+1 < len(segments) {
			end = segments[i+1]
		}
		if end <= from {
			continue
		}
		if err := r.segment(ctx, first, end); err != nil {
			return err
		}
	}
	return nil
}

// A replay reads segments one after the other.
type replay struct {
	journal *Journal
	from    uint64 // the first position that fn is called for
	fn      func(position uint64, record []byte) error
	behind  *link // behind the last segment that was read
}

// segment reads the segment that begins at first up to end. It must begin
// where the one before ended, if that was read.
func (r *replay) segment(ctx context.Context, first, end uint64) error {
	name := r.journal.path(first)
	info, err := r.journal.fs.Stat(name)
	if err != nil {
		return notFound(err)
	}
	f, err := r.journal.fs.Open(name)
	if err != nil {
		return notFound(err)
	}
	defer f.Close() // only read
	begin, err := readSegmentHeader(f, r.journal.chain)
	if err == nil && (begin.position != first || r.behind != nil && begin != *r.behind) {
		err = fmt.Errorf("does not continue the segment before: %w", storage.ErrCorrupt)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	frames := readFrames(f, info.Size, r.journal.chain, begin)
	for frames.at.position < end {
		if err := ctx.Err(); err != nil {
			return err
		}
		position := frames.at.position
		record, err := frames.next()
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		if position < r.from {
			continue
		}
		if err := r.fn(position, record); err != nil {
			return err
		}
	}
	r.behind = &frames.at
	return nil
}

func notFound(err error) error {
	if absent(err) {
		return fmt.Errorf("%w: %w", storage.ErrNotFound, err)
	}
	return err
}

// Drop implements storage.Journal. It removes the segments that hold nothing
// but dropped records, never the last one.
func (j *Journal) Drop(ctx context.Context, before uint64) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if err := j.health.check(ctx); err != nil {
		return err
	}
	if next := j.active.at.position; before > next {
		return fmt.Errorf("journal drop before %d of [%d, %d): %w", before, j.segments[0], next, storage.ErrInvalid)
	}
	for len(j.segments) > 1 && j.segments[1] <= before {
		// One after the other, lest a power cut leaves a gap.
		err := j.fs.Remove(j.path(j.segments[0]))
		if err == nil {
			err = j.fs.SyncDir(j.name)
		}
		if err != nil {
			return j.health.doubt(fmt.Errorf("journal: drop: %w", err))
		}
		j.segments = j.segments[1:]
	}
	return nil
}

// Bounds implements storage.Journal.
func (j *Journal) Bounds() (first, next uint64) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.segments[0], j.active.at.position
}

// close ends the journal; nothing is lost by it.
func (j *Journal) close() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.health.close()
	return j.active.file.Close()
}
