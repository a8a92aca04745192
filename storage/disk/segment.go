package disk

import (
	"bufio"
	"crypto/hmac"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/cairnlog/cairn/storage"
)

// A segment is a file of frames that continue each other. Its first block says
// where the chain stood when it was made:
//
//	struct {
//	    opaque magic[8];                 "cairnseg"
//	    uint64 position;                 of the first frame
//	    opaque mac[32];                  of the frame before it
//	    opaque tag[8];                   of the 48 bytes above, as in a frame
//	    zeros up to the next block
//	} SegmentHeader;
//
// Behind the last frame there are zeros or the end of the file.
type segment struct {
	file    File
	chain   chain
	first   uint64 // the position of its first frame
	at      link   // the next frame's
	end     int64  // where it goes
	written int64  // the file's size; zeros from end on
	ahead   int64  // how many bytes a small frame writes in all; set by the owner
	buffer  []byte // for one frame, kept between calls
}

const (
	segmentMagic = "cairnseg"
	segmentTag   = 48
	keptBuffer   = 4 << 20
)

// writeSegment writes a segment with these records into an empty file and
// returns it, not yet synced.
func writeSegment(f File, c chain, at link, records [][]byte) (*segment, error) {
	b := append([]byte(segmentMagic), binary.BigEndian.AppendUint64(nil, at.position)...)
	b = append(b, at.mac[:]...)
	b = append(b, c.tag(b)...)
	b = appendZeros(b, blockSize-len(b))
	s := &segment{file: f, chain: c, first: at.position, at: at}
	for {
		if _, err := f.WriteAt(b, s.written); err != nil {
			return nil, err
		}
		s.written += int64(len(b))
		if len(records) == 0 {
			s.end = s.written
			return s, nil
		}
		b, s.at = c.appendFrame(b[:0], s.at, records[0])
		records = records[1:]
	}
}

// readSegmentHeader returns the link of a segment's first frame.
func readSegmentHeader(f io.ReaderAt, c chain) (link, error) {
	b := make([]byte, blockSize)
	if _, err := f.ReadAt(b, 0); err != nil {
		return link{}, corruptEOF(err)
	}
	first := link{position: binary.BigEndian.Uint64(b[8:]), mac: [macSize]byte(b[16:segmentTag])}
	tag := b[segmentTag : segmentTag+tagSize]
	if string(b[:8]) != segmentMagic || !hmac.Equal(c.tag(b[:segmentTag]), tag) || !blank(b[segmentTag+tagSize:]) {
		return link{}, fmt.Errorf("header (or another key): %w", storage.ErrCorrupt)
	}
	return first, nil
}

// append adds a record and makes it durable. An error that matches
// storage.ErrNoSpace means that nothing has changed.
//
// A small frame that makes the file grow writes zeros behind itself. Where a
// later frame finds them, fdatasync takes about half the time because the
// file's metadata do not change; for large frames it is not worth it.
func (s *segment) append(record []byte) error {
	frame, next := s.chain.appendFrame(s.buffer[:0], s.at, record)
	size := int64(len(frame))
	if s.end+size > s.written && size <= s.ahead/4 {
		frame = appendZeros(frame, int(s.ahead-size))
	}
	if cap(frame) <= keptBuffer {
		s.buffer = frame
	}
	if _, err := s.file.WriteAt(frame, s.end); err != nil {
		return s.giveUp(err)
	}
	if err := s.file.Sync(); err != nil {
		return err
	}
	s.at = next
	s.written = max(s.written, s.end+int64(len(frame)))
	s.end += size
	return nil
}

// giveUp restores the zeros behind the last frame after a write that ran out
// of space. That is durable before the next try, lest a power cut mixes both.
func (s *segment) giveUp(cause error) error {
	full := noSpace(cause)
	if !errors.Is(full, storage.ErrNoSpace) {
		return cause
	}
	if err := s.file.Truncate(s.end); err != nil {
		return err
	}
	s.written = s.end
	if err := s.file.Sync(); err != nil {
		return err
	}
	return full
}

// A frameReader reads the frames of a segment one after the other.
type frameReader struct {
	r      *bufio.Reader
	chain  chain
	at     link
	offset int64 // of the next frame
	record []byte
}

// readFrames reads the frames of a file whose header says that the first one
// is at first.
func readFrames(f io.ReaderAt, size int64, c chain, first link) *frameReader {
	r := sectionReader(f, blockSize, size)
	return &frameReader{r: r, chain: c, at: first, offset: blockSize}
}

// sectionReader reads the bytes of [start, end), several blocks at once.
func sectionReader(r io.ReaderAt, start, end int64) *bufio.Reader {
	size := min(max(end-start, blockSize), 256<<10)
	return bufio.NewReaderSize(io.NewSectionReader(r, start, end-start), int(size))
}

// next returns the next record, valid until the next call. Whatever is not a
// frame that continues the chain is ErrCorrupt, the end of the file too.
func (r *frameReader) next() ([]byte, error) {
	b, err := r.r.Peek(headerSize)
	if err != nil {
		return nil, corruptEOF(err)
	}
	h, err := r.chain.parseHeader(b)
	if err != nil {
		return nil, fmt.Errorf("record %d: %w: %w", r.at.position, err, storage.ErrCorrupt)
	}
	n := int(frameSize(int(h.length)))
	if cap(r.record) < n {
		r.record = make([]byte, 0, n) // at most MaxJournalRecord and a block
	}
	frame := r.record[:n]
	if _, err := io.ReadFull(r.r, frame); err != nil {
		return nil, corruptEOF(err)
	}
	record := frame[headerSize : headerSize+h.length]
	next, err := r.chain.check(r.at, h, record)
	if err != nil {
		return nil, err
	}
	if !blank(frame[headerSize+h.length:]) {
		return nil, fmt.Errorf("record %d: padding: %w", r.at.position, storage.ErrCorrupt)
	}
	r.at = next
	r.offset += int64(n)
	return record, nil
}

// corruptEOF makes the end of a file where there should be more ErrCorrupt.
func corruptEOF(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("ends too early: %w", storage.ErrCorrupt)
	}
	return err
}

// recoverSegment opens a segment that was the last one to be written to. It
// calls fn for each record, cuts what a torn write left behind them, and makes
// durable again what it believes: the last frame may be in the kernel's memory
// only, its sync having failed. Then the segment can be appended to.
func recoverSegment(f File, size int64, c chain, fn func(record []byte) error) (*segment, error) {
	first, err := readSegmentHeader(f, c)
	if err != nil {
		return nil, err
	}
	frames := readFrames(f, size, c, first)
	s := &segment{file: f, chain: c, first: first.position, at: first, end: blockSize, written: size}
	last := s.end
	for {
		record, err := frames.next()
		if errors.Is(err, storage.ErrCorrupt) {
			break // judged below
		}
		if err != nil {
			return nil, err
		}
		if err := fn(record); err != nil {
			return nil, err
		}
		last, s.end, s.at = s.end, frames.offset, frames.at
	}
	if err := s.cut(size); err != nil {
		return nil, err
	}
	return s, s.rewrite(last)
}

// rewrite writes the last frame, which begins at start, again, and syncs it and
// the cut. Until then nothing new may be written, lest a power cut mixes it
// with what was cut.
func (s *segment) rewrite(start int64) error {
	b := make([]byte, s.end-start) // nothing if there is no frame
	if _, err := s.file.ReadAt(b, start); err != nil {
		return err
	}
	if _, err := s.file.WriteAt(b, start); err != nil {
		return noSpace(err)
	}
	return s.file.Sync()
}

// cut removes what lies behind the last good frame, if it is what a torn write
// may have left there, else it returns ErrCorrupt.
func (s *segment) cut(size int64) error {
	torn, err := s.judge(size)
	if err != nil || !torn {
		return err
	}
	if err := s.file.Truncate(s.end); err != nil {
		return err
	}
	s.written = s.end
	return nil
}

// judge reports whether there is anything but zeros behind the last good frame,
// and returns ErrCorrupt if it is not a write that was torn: if a sector is
// damaged rather than missing, or if a later frame shows that this one had been
// acknowledged.
func (s *segment) judge(size int64) (torn bool, err error) {
	r := sectionReader(s.file, s.end, size)
	if torn, err = s.judgeFirst(r, size-s.end); err != nil {
		return false, err
	}
	for {
		block, err := r.Peek(blockSize)
		if err != nil && !errors.Is(err, io.EOF) {
			return false, err
		}
		if len(block) == 0 {
			return torn, nil
		}
		torn = torn || !blank(block)
		if h, err := s.chain.parseHeader(block); err == nil && h.position > s.at.position {
			return false, fmt.Errorf("record %d is damaged, record %d is there: %w", s.at.position, h.position, storage.ErrCorrupt)
		}
		_, _ = r.Discard(len(block)) // was peeked
	}
}

// judgeFirst looks at the bad frame itself.
func (s *segment) judgeFirst(r *bufio.Reader, rest int64) (torn bool, err error) {
	sector, err := r.Peek(sectorSize)
	if err != nil && !errors.Is(err, io.EOF) {
		return false, err
	}
	if blank(sector) || len(sector) < sectorSize {
		return !blank(sector), nil
	}
	h, err := s.chain.parseHeader(sector)
	if err != nil || h.position != s.at.position {
		return false, fmt.Errorf("record %d: header: %w", s.at.position, storage.ErrCorrupt)
	}
	n := frameSize(int(h.length))
	if rest < n { // the file did not even get its size
		return true, nil
	}
	frame := make([]byte, n)
	if _, err := s.file.ReadAt(frame, s.end); err != nil {
		return false, err
	}
	if blanks(frame) <= h.blanks {
		return false, fmt.Errorf("record %d: damaged, not torn: %w", s.at.position, storage.ErrCorrupt)
	}
	return true, nil
}
