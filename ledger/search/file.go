package search

import (
	"fmt"
	"sync/atomic"

	"github.com/cairnlog/cairn/proofs"
)

// A record is what the register says about a file.
type record struct {
	FileID
	name      fileName
	key       proofs.Key256
	documents uint32
	first     uint64 // time of the first document
	last      uint64
	offset    uint64 // of the directory
	size      uint32 // of it, sealed
	number    uint32 // of it
}

// A file is a part of the index at rest. It can be read by many at once.
type file struct {
	record
	sealer sealer
	from   *handles
	cache  *cache
	gone   atomic.Bool // it has left the register
	lost   atomic.Bool // it is not what was written
}

func (x *Index) file(r record) *file {
	return &file{record: r, sealer: newSealer(r.name, &r.key), from: x.handles, cache: x.cache}
}

// read reads and opens what is sealed somewhere in the file.
func (f *file) read(r blockRef) ([]byte, error) {
	b := make([]byte, r.size)
	err := f.from.readAt(f.name, b, r.offset)
	if err == nil {
		b, err = f.sealer.open(b, r.number)
	}
	if err == nil {
		return b, nil
	}
	if f.gone.Load() {
		return nil, errGone
	}
	if lost(err) {
		f.lost.Store(true)
	}
	return nil, fmt.Errorf("%v: %w", f.FileID, err)
}

// block returns a block.
func (f *file) block(r blockRef) ([]byte, error) {
	key := cacheKey{f.name, r.number}
	if v, ok := f.cache.find(key); ok {
		return v.([]byte), nil
	}
	b, err := f.read(r)
	if err != nil {
		return nil, err
	}
	f.cache.add(key, b, cap(b), &f.gone)
	return b, nil
}

func (f *file) directory() (*directory, error) {
	key := cacheKey{f.name, f.number}
	if v, ok := f.cache.find(key); ok {
		return v.(*directory), nil
	}
	b, err := f.read(blockRef{number: f.number, offset: f.offset, size: f.size})
	if err != nil {
		return nil, err
	}
	dir, err := parseDirectory(b, f.span(), f.offset)
	if err != nil {
		return nil, err
	}
	if dir.documents.n != int(f.documents) {
		return nil, malformed("directory: other documents than the register says")
	}
	f.cache.add(key, dir, dir.cost(), &f.gone)
	return dir, nil
}

// all implements part.
func (f *file) all() (*set, error) {
	if int(f.documents) == f.span() {
		return rangeSet(0, f.span(), f.span()), nil
	}
	dir, err := f.directory()
	if err != nil {
		return nil, err
	}
	return dir.documents.set()
}

// before implements part.
func (f *file) before(time uint64) (int, error) {
	switch {
	case time <= f.first:
		return 0, nil
	case time > f.last:
		return f.span(), nil
	}
	dir, err := f.directory()
	if err != nil {
		return 0, err
	}
	block := len(dir.times) - 1 // the last that begins before that time
	for block > 0 && dir.times[block].time >= time {
		block--
	}
	b, err := f.block(dir.times[block])
	if err != nil {
		return 0, err
	}
	n, err := countBefore(time, dir.times[block].time, b, min(timesInBlock, dir.documents.n-block*timesInBlock))
	if n += block * timesInBlock; err != nil || dir.documents.n == f.span() {
		return n, err
	}
	documents, err := dir.documents.set()
	if err != nil {
		return 0, err
	}
	if p := documents.nth(n); p >= 0 {
		return p, nil
	}
	return f.span(), nil
}

// find implements part.
func (f *file) find(id section, key []byte) (posting, bool, error) {
	dir, err := f.directory()
	if err != nil {
		return posting{}, false, err
	}
	s, ok := dir.find(id)
	if !ok {
		return posting{}, false, nil
	}
	at := s.at(key)
	if at < 0 {
		return posting{}, false, nil
	}
	b, err := f.block(s.blocks[at])
	if err != nil {
		return posting{}, false, err
	}
	r := rowReader{rest: b, span: f.span()}
	return r.find(key)
}

// rows implements part.
func (f *file) rows(id section, from, to []byte) (rowSource, error) {
	dir, err := f.directory()
	if err != nil {
		return nil, err
	}
	s, ok := dir.find(id)
	if !ok {
		return noRows{}, nil
	}
	at := max(s.at(from), 0)
	return &fileRows{file: f, blocks: s.blocks[at:], from: from, to: to}, nil
}

// noRows is a source of no rows.
type noRows struct{}

func (noRows) next() (bool, error)    { return false, nil }
func (noRows) row() ([]byte, posting) { return nil, posting{} }

// fileRows is the rows of a section of a file.
type fileRows struct {
	file     *file
	blocks   []blockRef // not yet read
	from, to []byte
	rowReader
}

func (s *fileRows) row() ([]byte, posting) { return s.key, s.post }

func (s *fileRows) next() (bool, error) {
	for {
		ok, err := s.rowReader.next()
		if err != nil {
			return false, err
		}
		if !ok {
			if len(s.blocks) == 0 || s.to != nil && s.blocks[0].key >= string(s.to) {
				return false, nil
			}
			b, err := s.file.block(s.blocks[0])
			if err != nil {
				return false, err
			}
			s.rowReader = rowReader{rest: b, span: s.file.span(), key: s.key[:0]}
			s.blocks = s.blocks[1:]
			continue
		}
		if s.from != nil && string(s.key) < string(s.from) {
			continue
		}
		s.from = nil
		return s.to == nil || string(s.key) < string(s.to), nil
	}
}
