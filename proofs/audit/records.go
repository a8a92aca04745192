package audit

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"math"

	"github.com/cairnlog/cairn/proofs"
)

// MaxRecord is the size in bytes of the largest record that is read from a
// vault file. Ledgers keep none above half of it.
const MaxRecord = 32 << 20

// FormatVault returns a vault file: the records of a bundle's entries, each
// behind its length in four bytes, big-endian. A record that is not held is
// nil and has the length 0. In the place of one that a ledger holds damaged is a
// notice, see [FormatNotice].
func FormatVault(records [][]byte) []byte {
	n := 0
	for _, r := range records {
		n += 4 + len(r)
	}
	b := make([]byte, 0, n)
	for _, r := range records {
		b = append(appendRecordLength(b, r), r...)
	}
	return b
}

// WriteRecord writes the next record of a vault file.
func WriteRecord(w io.Writer, record []byte) error {
	if _, err := w.Write(appendRecordLength(nil, record)); err != nil {
		return err
	}
	_, err := w.Write(record)
	return err
}

func appendRecordLength(b, record []byte) []byte {
	if uint64(len(record)) > math.MaxUint32 {
		panic(fmt.Sprintf("audit: a record of %d bytes", len(record)))
	}
	return binary.BigEndian.AppendUint32(b, uint32(len(record)))
}

// A RecordReader reads the records of a vault file, one after the other into
// the same memory. Errors about what the file holds match
// [proofs.ErrMalformed]; others come from its reader.
type RecordReader struct {
	r   *bufio.Reader
	buf bytes.Buffer
}

// NewRecordReader returns a reader of the vault file that r reads.
func NewRecordReader(r io.Reader) *RecordReader {
	return &RecordReader{r: bufio.NewReaderSize(r, 1<<16)}
}

// Next returns the next record, which is empty where none is held. It is valid
// until the next call.
func (r *RecordReader) Next() ([]byte, error) {
	var length [4]byte
	if _, err := io.ReadFull(r.r, length[:]); err != nil {
		return nil, cutOff(err)
	}
	n := binary.BigEndian.Uint32(length[:])
	if n > MaxRecord {
		return nil, fmt.Errorf("%w: vault: a record of %d bytes is larger than %d", proofs.ErrMalformed, n, MaxRecord)
	}
	r.buf.Reset()
	// It grows with what comes, not with what is said.
	if _, err := io.CopyN(&r.buf, r.r, int64(n)); err != nil {
		return nil, cutOff(err)
	}
	return r.buf.Bytes(), nil
}

// End demands that nothing follows the last record.
func (r *RecordReader) End() error {
	switch _, err := r.r.ReadByte(); err {
	case io.EOF:
		return nil
	case nil:
		return fmt.Errorf("%w: vault: it goes on after the last record", proofs.ErrMalformed)
	default:
		return err
	}
}

func cutOff(err error) error {
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		return fmt.Errorf("%w: vault: cut off", proofs.ErrMalformed)
	}
	return err
}
