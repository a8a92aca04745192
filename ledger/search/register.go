package search

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"io/fs"
	"maps"
	"math"
	"slices"

	"github.com/cairnlog/cairn/proofs"
	"github.com/cairnlog/cairn/storage/disk"
)

// A register is what the index has at rest. Its file holds
//
//	the label "cairn/v1 index register\n", uint64 generation, opaque salt[16]
//	sealed under the index key of the generation, and with the above
//	authenticated: uint64 next, uint32 files, the records of them,
//	uint32 outlines, the records of them, and the FileIDs of what is missing, to
//	the end
//
// Numbers are big-endian; records and FileIDs rise.
type register struct {
	generation uint64
	next       uint64 // of all documents below it there is a file, unless it is missing
	files      map[FileID]record
	outlines   map[FileID]outlineRecord
	missing    map[FileID]bool
}

const (
	registerName  = "register"
	registerNew   = "register.new" // until it is whole
	saltSize      = 16
	idSize        = 8 + 4 + 4
	recordSize    = idSize + 16 + 32 + 4 + 3*8 + 2*4
	outlineSize   = idSize + 16 + 2*32 + 8 + 2*4
	maxFiles      = 1 << 21
	registerHead  = len(registerLabel) + 8 + saltSize
	registerLimit = registerHead + 16 + maxFiles*(recordSize+outlineSize+idSize) + overhead
)

func newRegister(generation uint64) *register {
	return &register{generation: generation, files: make(map[FileID]record), outlines: make(map[FileID]outlineRecord), missing: make(map[FileID]bool)}
}

func (r *register) clone() *register {
	c := *r
	c.files, c.outlines, c.missing = maps.Clone(r.files), maps.Clone(r.outlines), maps.Clone(r.missing)
	return &c
}

// lose says that a file is missing. Without an outline nothing is.
func (r *register) lose(f record) {
	if r.outlines[f.FileID].name == f.name {
		delete(r.outlines, f.FileID)
		return
	}
	delete(r.files, f.FileID)
	r.missing[f.FileID] = true
}

// fits reports whether all segments of a register are of these sizes.
func (s shape) fits(r *register) bool {
	for id := range r.files {
		if size := id.End - id.First; size != s.small && size != s.large {
			return false
		}
	}
	for id := range r.missing {
		if size := id.End - id.First; size != s.small && size != s.large {
			return false
		}
	}
	return r.next%s.small == 0
}

// lastTime returns the time of the last document of any file.
func (r *register) lastTime() (time uint64) {
	for _, f := range r.files {
		time = max(time, f.last)
	}
	return time
}

// seal returns the register's file.
func (r *register) seal(key *proofs.Key256, salt []byte) []byte {
	head := binary.BigEndian.AppendUint64([]byte(registerLabel), r.generation)
	head = append(head, salt...)
	return registerAEAD(key, salt).Seal(slices.Clip(head), make([]byte, 12), r.format(), head)
}

// format returns what is sealed in the register's file.
func (r *register) format() []byte {
	plain := make([]byte, 0, 16+len(r.files)*recordSize+len(r.outlines)*outlineSize+len(r.missing)*idSize)
	plain = binary.BigEndian.AppendUint64(plain, r.next)
	plain = binary.BigEndian.AppendUint32(plain, uint32(len(r.files)))
	for _, id := range slices.SortedFunc(maps.Keys(r.files), compareIDs) {
		plain = appendRecord(plain, r.files[id])
	}
	plain = binary.BigEndian.AppendUint32(plain, uint32(len(r.outlines)))
	for _, id := range slices.SortedFunc(maps.Keys(r.outlines), compareIDs) {
		plain = appendOutline(plain, r.outlines[id])
	}
	for _, id := range slices.SortedFunc(maps.Keys(r.missing), compareIDs) {
		plain = appendID(plain, id)
	}
	return plain
}

func appendID(b []byte, id FileID) []byte {
	b = binary.BigEndian.AppendUint64(b, id.First)
	b = binary.BigEndian.AppendUint32(b, uint32(id.span()))
	return binary.BigEndian.AppendUint32(b, id.Bucket)
}

func appendRecord(b []byte, r record) []byte {
	b = appendID(b, r.FileID)
	b = append(b, r.name[:]...)
	b = append(b, r.key[:]...)
	b = binary.BigEndian.AppendUint32(b, r.documents)
	for _, v := range []uint64{r.first, r.last, r.offset} {
		b = binary.BigEndian.AppendUint64(b, v)
	}
	b = binary.BigEndian.AppendUint32(b, r.size)
	return binary.BigEndian.AppendUint32(b, r.number)
}

func appendOutline(b []byte, r outlineRecord) []byte {
	b = appendID(b, r.FileID)
	b = append(b, r.name[:]...)
	b = append(b, r.key[:]...)
	b = append(b, r.rows[:]...)
	b = binary.BigEndian.AppendUint64(b, r.offset)
	b = binary.BigEndian.AppendUint32(b, r.size)
	return binary.BigEndian.AppendUint32(b, r.number)
}

// openRegister opens a register's file. The key is asked for once the
// generation is known; its errors are returned as they are.
func openRegister(b []byte, keyOf func(generation uint64) (proofs.Key256, error)) (*register, error) {
	if len(b) < registerHead+overhead || !bytes.HasPrefix(b, []byte(registerLabel)) {
		return nil, malformed("register: no such file")
	}
	generation := binary.BigEndian.Uint64(b[len(registerLabel):])
	key, err := keyOf(generation)
	if err != nil {
		return nil, err
	}
	head := b[:registerHead]
	plain, err := registerAEAD(&key, head[len(head)-saltSize:]).Open(nil, make([]byte, 12), b[registerHead:], head)
	if err != nil {
		return nil, malformed("register: does not open")
	}
	return parseRegister(plain, generation)
}

// parseRegister parses what is sealed in a register's file.
func parseRegister(plain []byte, generation uint64) (*register, error) {
	d := decoder{rest: plain}
	r := newRegister(generation)
	r.next = d.uint64("register: next")
	if r.next > math.MaxInt64 {
		d.fail("register: next")
	}
	var last FileID
	check := func(id FileID, first bool) {
		if !first && compareIDs(last, id) >= 0 || id.End > r.next {
			d.fail("register: the files do not rise")
		}
		last = id
	}
	for i := range d.uint32("register: files") {
		rec := d.record()
		if check(rec.FileID, i == 0); d.err != nil {
			break
		}
		r.files[rec.FileID] = rec
	}
	last = FileID{}
	for i := range d.uint32("register: outlines") {
		rec := d.outline()
		if i > 0 && compareIDs(last, rec.FileID) >= 0 {
			d.fail("register: the outlines do not rise")
		}
		if d.err != nil {
			break
		}
		last, r.outlines[rec.FileID] = rec.FileID, rec
	}
	for first := true; d.err == nil && len(d.rest) > 0; first = false {
		id := d.id()
		if _, there := r.files[id]; there {
			d.fail("register: a file is there and missing")
		}
		check(id, first)
		r.missing[id] = true
	}
	return r, d.end("register")
}

func (d *decoder) id() FileID {
	first := d.uint64("register: segment")
	size := uint64(d.uint32("register: size of a segment"))
	if size == 0 || size%64 != 0 || size > LargeSegment || first > math.MaxInt64 || first%size != 0 {
		d.fail("register: segment")
	}
	return FileID{first, first + size, d.uint32("register: bucket")}
}

func (d *decoder) record() record {
	r := record{FileID: d.id()}
	r.name = fileName(d.bytes("register: name", 16))
	r.key = proofs.Key256(d.bytes("register: key", 32))
	r.documents = d.uint32("register: documents")
	r.first = d.uint64("register: first time")
	r.last = d.uint64("register: last time")
	r.offset = d.uint64("register: offset")
	r.size = d.uint32("register: size")
	r.number = d.uint32("register: blocks")
	if r.documents < 1 || int64(r.documents) > int64(r.span()) || r.first > r.last {
		d.fail("register: documents")
	}
	d.checkPlace(r)
	return r
}

func (d *decoder) outline() (r outlineRecord) {
	r.FileID = d.id()
	r.name = fileName(d.bytes("register: name", 16))
	r.key = proofs.Key256(d.bytes("register: key", 32))
	r.rows = proofs.Hash(d.bytes("register: rows", 32))
	r.offset = d.uint64("register: offset")
	r.size = d.uint32("register: size")
	r.number = d.uint32("register: blocks")
	d.checkPlace(r.record)
	return r
}

// checkPlace checks where the last block of a file is said to be.
func (d *decoder) checkPlace(r record) {
	if r.size < overhead || r.size > directoryLimit+overhead || r.offset > math.MaxInt64-directoryLimit-overhead {
		d.fail("register: directory")
	}
}

// readRegister reads the register's file. It is fs.ErrNotExist where there is
// none.
func readRegister(fsys disk.FS) ([]byte, error) {
	f, err := fsys.Open(registerName)
	if err != nil {
		return nil, err
	}
	defer f.Close() // only read
	size, err := f.Size()
	if err != nil {
		return nil, err
	}
	if size > int64(registerLimit) {
		return nil, malformed("register: %d bytes", size)
	}
	b := make([]byte, size)
	_, err = io.ReadFull(io.NewSectionReader(f, 0, size), b)
	return b, err
}

// lost reports whether an error means that bytes are not what was written, or
// not there.
func lost(err error) bool {
	return errors.Is(err, errMalformed) || errors.Is(err, fs.ErrNotExist) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
}
