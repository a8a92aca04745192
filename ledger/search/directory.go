package search

import (
	"encoding/binary"
	"math"
	"slices"
)

// A section is the rows of one kind in a file.
type section struct {
	kind   byte
	number uint16 // of the field
}

// The kinds of sections. A further one takes the next number.
const (
	fieldKind byte = 1 + iota // the values of one field
	wordKind                  // the words; number 0
)

func (s section) valid() bool { return s.kind == fieldKind || s.kind == wordKind && s.number == 0 }

func wordSection() section { return section{kind: wordKind} }

// A directory says where the blocks of a file are. It is the file's last
// block: the only one that is not bounded by blockLimit, and found by what the
// register says. It holds
//
//	the posting of the documents
//	varint(blocks of times), for each the first time as varint of what it
//	exceeds the one before by, and varint(bytes sealed)
//	for each section, rising: its kind, uint16 number, varint(rows), varint(blocks - 1),
//	and for each block varint(bytes sealed), varint(bytes) and the key of its first row
//
// Blocks follow one another in this order.
type directory struct {
	span      int
	documents posting
	times     []blockRef
	sections  []sectionRef
}

type sectionRef struct {
	section
	rows   uint64
	blocks []blockRef
}

// A blockRef is where a block is.
type blockRef struct {
	number uint32
	offset uint64
	size   uint32 // sealed
	time   uint64 // the first
	key    string // of the first row
}

const (
	blockTarget    = 4 << 10 // a block is closed when it is as large
	blockLimit     = 64 << 10
	directoryLimit = 256 << 20
	timesInBlock   = 1024
)

func (d *directory) append(b []byte, documents []uint16) []byte {
	b = appendPosting(b, documents, d.span)
	last := uint64(0)
	for _, r := range d.times {
		b = binary.AppendUvarint(b, r.time-last)
		b = binary.AppendUvarint(b, uint64(r.size))
		last = r.time
	}
	for _, s := range d.sections {
		b = append(b, s.kind)
		b = binary.BigEndian.AppendUint16(b, s.number)
		b = binary.AppendUvarint(b, s.rows)
		b = binary.AppendUvarint(b, uint64(len(s.blocks)-1))
		for _, r := range s.blocks {
			b = binary.AppendUvarint(b, uint64(r.size))
			b = binary.AppendUvarint(b, uint64(len(r.key)))
			b = append(b, r.key...)
		}
	}
	return b
}

// parseDirectory parses the directory of a file whose other blocks take size
// bytes.
func parseDirectory(b []byte, span int, size uint64) (*directory, error) {
	dir := &directory{span: span}
	var err error
	if dir.documents, b, err = parsePosting(b, span); err != nil {
		return nil, err
	}
	p := directoryParser{decoder: decoder{rest: b}}
	last := uint64(0)
	for range (dir.documents.n + timesInBlock - 1) / timesInBlock {
		last += p.uvarint("directory: time", math.MaxUint64-last)
		dir.times = append(dir.times, p.block(last, ""))
	}
	for p.err == nil && len(p.rest) > 0 {
		s := p.section()
		if n := len(dir.sections); n > 0 && compareSections(dir.sections[n-1].section, s.section) >= 0 {
			p.fail("directory: the sections do not rise")
		}
		dir.sections = append(dir.sections, s)
	}
	if p.err == nil && p.offset != size {
		p.fail("directory: the blocks do not fill the file")
	}
	return dir, p.err
}

type directoryParser struct {
	decoder
	number uint32
	offset uint64
}

func (p *directoryParser) block(time uint64, key string) blockRef {
	r := blockRef{number: p.number, offset: p.offset, time: time, key: key}
	r.size = uint32(p.uvarint("directory: size of a block", blockLimit+overhead))
	p.number, p.offset = p.number+1, p.offset+uint64(r.size)
	return r
}

func (p *directoryParser) section() sectionRef {
	id := p.bytes("directory: section", 3)
	s := sectionRef{section: section{id[0], binary.BigEndian.Uint16(id[1:])}}
	if p.err == nil && !s.valid() {
		p.fail("directory: a section of no kind")
	}
	s.rows = p.uvarint("directory: rows", math.MaxUint32)
	if s.rows == 0 {
		p.fail("directory: a section without rows")
	}
	last := p.uvarint("directory: blocks", min(s.rows-1, uint64(len(p.rest))))
	for range last + 1 {
		r := p.block(0, "")
		key := p.bytes("directory: key", p.uvarint("directory: key", maxKey))
		if n := len(s.blocks); n > 0 && s.blocks[n-1].key >= string(key) || len(key) == 0 {
			p.fail("directory: the keys do not rise")
		}
		if p.err != nil {
			break
		}
		r.key = string(key)
		s.blocks = append(s.blocks, r)
	}
	return s
}

// cost is about how many bytes of memory a directory takes.
func (d *directory) cost() (n int) {
	n = 256 + len(d.documents.data) + 64*len(d.times)
	for _, s := range d.sections {
		n += 64
		for _, r := range s.blocks {
			n += 64 + len(r.key)
		}
	}
	return n
}

func (d *directory) find(id section) (sectionRef, bool) {
	i, found := slices.BinarySearchFunc(d.sections, id, func(s sectionRef, id section) int {
		return compareSections(s.section, id)
	})
	if !found {
		return sectionRef{}, false
	}
	return d.sections[i], true
}

// at returns which block of a section may hold a key: the last one that does
// not begin behind it, or -1.
func (s sectionRef) at(key []byte) int {
	low, high := 0, len(s.blocks)
	for low < high {
		if mid := int(uint(low+high) / 2); s.blocks[mid].key <= string(key) {
			low = mid + 1
		} else {
			high = mid
		}
	}
	return low - 1
}
