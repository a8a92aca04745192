package disk

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"testing"

	"github.com/cairnlog/cairn/storage"
)

// A buffer is a file in memory.
type buffer struct{ b []byte }

func (f *buffer) ReadAt(b []byte, offset int64) (int, error) {
	n := copy(b, f.b[min(offset, int64(len(f.b))):])
	if n < len(b) {
		return n, io.EOF
	}
	return n, nil
}

func (f *buffer) WriteAt(b []byte, offset int64) (int, error) {
	if end := int(offset) + len(b); end > len(f.b) {
		f.b = appendZeros(f.b, end-len(f.b))
	}
	return copy(f.b[offset:], b), nil
}

func (f *buffer) Truncate(size int64) error { f.b = f.b[:size:size]; return nil }
func (f *buffer) Size() (int64, error)      { return int64(len(f.b)), nil }
func (f *buffer) Sync() error               { return nil }
func (f *buffer) Close() error              { return nil }

var fuzzed = chain{label: "fuzzed", key: []byte("key")}

// FuzzFrameHeader: what parses is formatted to the same bytes. The tag, which
// no fuzzer finds, is put right.
func FuzzFrameHeader(f *testing.F) {
	for _, record := range [][]byte{{1}, make([]byte, 5000)} {
		frame, _ := fuzzed.appendFrame(nil, link{position: 7}, record)
		f.Add(frame[:headerSize])
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) >= headerSize {
			copy(b[taggedBytes:], fuzzed.tag(b[:taggedBytes]))
		}
		h, err := fuzzed.parseHeader(b)
		if err != nil {
			return
		}
		if got := fuzzed.appendHeader(nil, h); !bytes.Equal(got, b[:headerSize]) {
			t.Errorf("%x is formatted as %x", b[:headerSize], got)
		}
	})
}

// FuzzSegment opens any bytes as a segment: it finds frames or refuses, and
// what it finds is written to the same bytes.
func FuzzSegment(f *testing.F) {
	for _, records := range [][][]byte{nil, {{1}}, {make([]byte, 600), bytes.Repeat([]byte{1}, 9000)}} {
		file := new(buffer)
		if _, err := writeSegment(file, fuzzed, link{position: 5}, records); err != nil {
			f.Fatal(err)
		}
		f.Add(file.b)
		f.Add(append(file.b, make([]byte, 2*blockSize)...))
		f.Add(file.b[:len(file.b)-sectorSize])
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		file := &buffer{bytes.Clone(b)}
		var records [][]byte
		first, _ := readSegmentHeader(file, fuzzed)
		s, err := recoverSegment(file, int64(len(b)), fuzzed, func(record []byte) error {
			records = append(records, bytes.Clone(record))
			return nil
		})
		if err != nil {
			return
		}
		again := new(buffer)
		if _, err := writeSegment(again, fuzzed, first, records); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(again.b, file.b[:s.end]) || !blank(file.b[s.end:]) {
			t.Error("what was found is written to other bytes")
		}
	})
}

// FuzzTornSegment loses any set of sectors of the last frame and damages one
// byte: opening finds all the records before it, and the last one or, if
// sectors were lost, not; or it says that the segment is corrupt, but not for
// lost sectors alone.
func FuzzTornSegment(f *testing.F) {
	f.Add([]byte("first"), []byte("last"), uint64(0), uint32(0), byte(0))
	f.Add(make([]byte, 5000), bytes.Repeat([]byte{1}, 5000), uint64(0xf0f0), uint32(5000), byte(1))
	f.Add([]byte("first"), make([]byte, 9000), uint64(1), uint32(17), byte(0x80))
	f.Fuzz(func(t *testing.T, first, last []byte, lost uint64, offset uint32, mask byte) {
		if len(first) == 0 || len(last) == 0 || len(last) > 32<<10 {
			return
		}
		file := new(buffer)
		if _, err := writeSegment(file, fuzzed, link{}, [][]byte{first, last}); err != nil {
			t.Fatal(err)
		}
		start := blockSize + int(frameSize(len(first)))
		whole := bytes.Clone(file.b)
		for i := start; i < len(file.b); i += sectorSize {
			if lost>>((i-start)/sectorSize%64)&1 == 1 {
				clear(file.b[i : i+sectorSize])
			}
		}
		torn := !bytes.Equal(whole, file.b)
		file.b[blockSize+int(offset)%(len(file.b)-blockSize)] ^= mask
		n := 0
		_, err := recoverSegment(file, int64(len(file.b)), fuzzed, func(record []byte) error {
			if want := [][]byte{first, last}[n]; !bytes.Equal(record, want) {
				t.Errorf("record %d is %x, want %x", n, record, want)
			}
			n++
			return nil
		})
		switch {
		case err != nil && !errors.Is(err, storage.ErrCorrupt):
			t.Errorf("error = %v", err)
		case err != nil && mask == 0:
			t.Errorf("lost sectors alone are corrupt: %v", err)
		case err == nil && (n < 1 || n < 2 && !torn):
			t.Errorf("%d records are left, and no error", n)
		}
	})
}

// FuzzCells: what parses is formatted to the same bytes.
func FuzzCells(f *testing.F) {
	f.Add(formatCells(nil, []cell{{"a", []byte("one")}, {"b", nil}, {"\x00\x01\x02\x03", make([]byte, 70000)}}))
	f.Fuzz(func(t *testing.T, b []byte) {
		batch, err := parseCells(b)
		if err == nil && !bytes.Equal(formatCells(nil, batch), b) {
			t.Errorf("%x is formatted as %x", b, formatCells(nil, batch))
		}
	})
}

// FuzzRegisterFile: what parses is formatted to the same bytes.
func FuzzRegisterFile(f *testing.F) {
	f.Add(formatRegister([]byte("value")))
	f.Add([]byte(registerMagic))
	f.Fuzz(func(t *testing.T, b []byte) {
		value, err := parseRegister(b)
		if err == nil && !bytes.Equal(formatRegister(value), b) {
			t.Errorf("%x is formatted as %x", b, formatRegister(value))
		}
	})
}

// FuzzVaultRecord: what parses is formatted to the same bytes. The check, which
// no fuzzer finds, is put right.
func FuzzVaultRecord(f *testing.F) {
	f.Add(uint32(1), appendRecord(nil, storage.VaultRecord{Bucket: 1, Index: 2, Data: []byte("three")}))
	f.Fuzz(func(t *testing.T, bucket uint32, b []byte) {
		if len(b) > recordHeader {
			binary.BigEndian.PutUint32(b[12:], checksum(bucket, b[:12], b[recordHeader:]))
		}
		r, err := parseRecord(bucket, b)
		if err == nil && !bytes.Equal(appendRecord(nil, r), b) {
			t.Errorf("%x is formatted as %x", b, appendRecord(nil, r))
		}
	})
}

// FuzzVaultRow: what parses is formatted to the same bytes.
func FuzzVaultRow(f *testing.F) {
	f.Add(uint32(1), appendRow(nil, 1, row{index: 2, offset: maxOffset}))
	f.Fuzz(func(t *testing.T, bucket uint32, b []byte) {
		if len(b) >= rowSize {
			binary.BigEndian.PutUint16(b[14:], rowCheck(bucket, b[:14]))
		}
		r, err := parseRow(bucket, b)
		if err == nil && !bytes.Equal(appendRow(nil, bucket, r), b[:rowSize]) {
			t.Errorf("%x is formatted as %x", b[:rowSize], appendRow(nil, bucket, r))
		}
	})
}

// FuzzExtent: what parses is formatted to the same bytes and has room for its
// rows.
func FuzzExtent(f *testing.F) {
	f.Add(formatExtent(extent{generation: 1, rows: 2, bytes: 100, first: 3, last: 9}))
	f.Fuzz(func(t *testing.T, b []byte) {
		e, err := parseExtent(b)
		if err == nil && !bytes.Equal(formatExtent(e), b) {
			t.Errorf("%x is formatted as %x", b, formatExtent(e))
		}
		if err == nil && e.rows*(recordHeader+1) > e.bytes {
			t.Errorf("%d rows in %d bytes", e.rows, e.bytes)
		}
	})
}

// FuzzSearch finds indices in rows that lie in any way, as a plain loop does.
func FuzzSearch(f *testing.F) {
	f.Add([]byte{0, 1, 2, 200, 0}, uint16(300), uint64(17))
	f.Add([]byte{255, 0}, uint16(1000), uint64(1<<40))
	f.Fuzz(func(t *testing.T, gaps []byte, count uint16, index uint64) {
		if len(gaps) == 0 || count == 0 {
			return
		}
		var file []byte
		var rows []row
		r := row{}
		for i := range int(count) {
			gap := gaps[i%len(gaps)]
			r.index += 1 + uint64(gap)<<(gap%48)
			if r.index >= 1<<62 {
				break
			}
			rows = append(rows, r)
			file = appendRow(file, 1, r)
			r.offset += recordHeader + 1 + uint64(gap)
		}
		if len(rows) == 0 {
			return
		}
		e := extent{rows: uint64(len(rows)), bytes: r.offset, first: rows[0].index, last: rows[len(rows)-1].index}
		index %= e.last + 1
		at, err := search{bytes.NewReader(file), 1, e}.find(index)
		if err != nil {
			t.Fatal(err)
		}
		want := 0
		for rows[want].index < index {
			want++
		}
		if at.row != uint64(want) || at.index != rows[want].index || at.start != rows[want].offset {
			t.Errorf("found %+v, want row %d: %+v", at, want, rows[want])
		}
	})
}
