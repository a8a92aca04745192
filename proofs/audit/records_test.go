package audit_test

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"testing"
	"testing/iotest"

	"github.com/cairnlog/cairn/proofs"
	"github.com/cairnlog/cairn/proofs/audit"
)

// readRecords reads n records and demands that nothing follows.
func readRecords(r io.Reader, n int) (records [][]byte, err error) {
	rr := audit.NewRecordReader(r)
	for range n {
		b, err := rr.Next()
		if err != nil {
			return records, err
		}
		records = append(records, slices.Clone(b))
	}
	return records, rr.End()
}

func TestRecordsAreReadAsTheyAreWritten(t *testing.T) {
	want := [][]byte{[]byte("one"), nil, bytes.Repeat([]byte("x"), 200_000), {0}}
	var b bytes.Buffer
	for _, r := range want {
		if err := audit.WriteRecord(&b, r); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(b.Bytes(), audit.FormatVault(want)) {
		t.Error("what is written one by one is not what is formatted at once")
	}
	file := b.Bytes()
	got, err := readRecords(iotest.OneByteReader(bytes.NewReader(file)), len(want))
	if err != nil || !slices.EqualFunc(got, want, bytes.Equal) {
		t.Errorf("got %d records and error %v, want %d", len(got), err, len(want))
	}
	tooLarge := append(slices.Clone(file), 0x02, 0, 0, 1)
	for name, tt := range map[string]struct {
		r io.Reader
		n int
	}{
		"a record less":          {bytes.NewReader(file), len(want) + 1},
		"a record more":          {bytes.NewReader(file), len(want) - 1},
		"cut off in a record":    {bytes.NewReader(file[:100]), len(want)},
		"cut off in a length":    {bytes.NewReader(file[:len(file)-2]), len(want)},
		"a record above 32 MiB":  {bytes.NewReader(tooLarge), len(want) + 1},
		"nothing":                {bytes.NewReader(nil), 1},
		"a length without bytes": {bytes.NewReader([]byte{0, 0xff, 0xff, 0xff}), 1},
	} {
		if _, err := readRecords(tt.r, tt.n); !errors.Is(err, proofs.ErrMalformed) {
			t.Errorf("%s: got error %v, want ErrMalformed", name, err)
		}
	}
	broken := io.MultiReader(bytes.NewReader(file[:9]), iotest.ErrReader(errDisk))
	if _, err := readRecords(broken, len(want)); !errors.Is(err, errDisk) || errors.Is(err, proofs.ErrMalformed) {
		t.Errorf("a file that cannot be read: got error %v", err)
	}
}

func FuzzRecordReader(f *testing.F) {
	f.Add(audit.FormatVault([][]byte{nil, []byte("x")}), 2)
	f.Fuzz(func(t *testing.T, b []byte, n int) {
		records, err := readRecords(bytes.NewReader(b), max(n%256, 0))
		if err == nil && !bytes.Equal(audit.FormatVault(records), b) {
			t.Errorf("%x is not what its %d records format to", b, len(records))
		}
		if err != nil && !errors.Is(err, proofs.ErrMalformed) {
			t.Errorf("%x: %v", b, err)
		}
	})
}
