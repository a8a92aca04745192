package disk

import (
	"fmt"
	"io"
	"sort"

	"github.com/cairnlog/cairn/storage"
)

// A spot is where a record lies.
type spot struct {
	row        uint64
	index      uint64
	start, end uint64 // in the records' file
}

// pageRows is how many rows a search reads at once: 4 KiB of them.
const pageRows = 256

// A search looks for rows of one bucket.
type search struct {
	rows   io.ReaderAt
	bucket uint32
	extent extent
}

// find returns the spot of the first record whose index is at least index,
// which is not above the bucket's last. Indices grow about evenly, so it
// guesses where the row is; every other guess is the middle, lest it takes long
// where they do not.
func (s search) find(index uint64) (spot, error) {
	index = max(index, s.extent.first)
	lo, hi := uint64(0), s.extent.rows-1 // the row is in [lo, hi+1]
	loIndex, hiIndex := s.extent.first, s.extent.last
	for guess := true; lo <= hi; guess = !guess {
		middle := lo + (hi-lo)/2
		if guess && hiIndex > loIndex {
			part := float64(index-loIndex) / float64(hiIndex-loIndex)
			middle = lo + min(uint64(part*float64(hi-lo)), hi-lo)
		}
		p, err := s.page(middle)
		if err != nil {
			return spot{}, err
		}
		switch {
		case index >= p.head.index && index <= p.tail.index:
			return s.within(p, index)
		case index > p.tail.index:
			lo, loIndex = p.first+p.count, p.tail.index
		case p.first == 0:
			return spot{}, p.corrupt() // the extent says that the first is not above
		default:
			hi, hiIndex = p.first-1, p.head.index
		}
	}
	if lo >= s.extent.rows {
		return spot{}, fmt.Errorf("vault bucket %d: rows end before the last index: %w", s.bucket, storage.ErrCorrupt)
	}
	p, err := s.page(lo)
	if err != nil {
		return spot{}, err
	}
	return s.within(p, index)
}

// A page is rows in a row.
type page struct {
	bucket       uint32
	first, count uint64
	bytes        []byte
	head, tail   row
}

// page reads the page that the row is on.
func (s search) page(number uint64) (page, error) {
	first := number - number%pageRows
	p := page{bucket: s.bucket, first: first, count: min(pageRows, s.extent.rows-first)}
	p.bytes = make([]byte, p.count*rowSize)
	if _, err := s.rows.ReadAt(p.bytes, int64(first*rowSize)); err != nil {
		return page{}, corruptEOF(err)
	}
	var err error
	if p.head, err = p.row(0); err == nil {
		p.tail, err = p.row(p.count - 1)
	}
	if err == nil && p.head.index > p.tail.index {
		err = p.corrupt()
	}
	return p, err
}

func (p page) row(i uint64) (row, error) { return parseRow(p.bucket, p.bytes[i*rowSize:]) }

func (p page) corrupt() error {
	return fmt.Errorf("vault bucket %d: rows from %d: %w", p.bucket, p.first, storage.ErrCorrupt)
}

// within returns the spot of the first record of the page whose index is at
// least index; the caller knows that the last one's is.
func (s search) within(p page, index uint64) (spot, error) {
	var failure error
	i := uint64(sort.Search(int(p.count), func(i int) bool {
		r, err := p.row(uint64(i))
		if err != nil {
			failure = err
		}
		return r.index >= index
	}))
	if failure != nil || i == p.count {
		return spot{}, p.corrupt()
	}
	r, err := p.row(i)
	if err != nil {
		return spot{}, err
	}
	end := s.extent.bytes
	if next := p.first + i + 1; next < s.extent.rows {
		behind, err := s.next(p, i)
		if err != nil {
			return spot{}, err
		}
		end = behind.offset
	}
	if r.offset >= end || end > s.extent.bytes || end-r.offset > recordHeader+storage.MaxVaultRecord {
		return spot{}, p.corrupt()
	}
	return spot{row: p.first + i, index: r.index, start: r.offset, end: end}, nil
}

// next returns the row behind row i of the page, which may be on the next one.
func (s search) next(p page, i uint64) (row, error) {
	if i+1 < p.count {
		return p.row(i + 1)
	}
	b := make([]byte, rowSize)
	if _, err := s.rows.ReadAt(b, int64((p.first+p.count)*rowSize)); err != nil {
		return row{}, corruptEOF(err)
	}
	return parseRow(s.bucket, b)
}
