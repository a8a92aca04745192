package evidence

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
)

// A Reader reads a file, line by line, and judges its form: that each line is
// one that [FormatLine] writes, that they come in order, that none is missing
// and no byte was changed since the file was made. What it says is for
// [Verify] to judge.
type Reader struct {
	r     *bufio.Reader
	line  []byte
	at    int64 // where it begins
	sum   hash.Hash
	order order
	err   error
}

// NewReader reads a file from its beginning.
func NewReader(r io.Reader) *Reader {
	return &Reader{r: bufio.NewReaderSize(r, 1<<16), sum: sha256.New()}
}

// Next returns the next line. After the last, which is the end, and if nothing
// follows it, the error is io.EOF; a file that is cut, or otherwise not in its
// form, matches [proofs.ErrMalformed]. Any other is that of the reader below.
// In memory there is one line.
func (r *Reader) Next() (Line, error) {
	if r.err != nil {
		return Line{}, r.err
	}
	l, err := r.next()
	if err != nil {
		r.err = err
		return Line{}, err
	}
	return l, nil
}

// Place returns where in the file the line begins that Next has returned, and
// how many bytes it has with its newline.
func (r *Reader) Place() (offset int64, size int) { return r.at, len(r.line) }

func (r *Reader) next() (Line, error) {
	if err := r.readLine(); err != nil {
		return Line{}, err
	}
	l, err := ParseLine(r.line)
	if err != nil {
		return Line{}, err
	}
	if err := r.order.take(l, len(r.line)); err != nil {
		return Line{}, err
	}
	if l.End != nil && l.End.SHA256 != hex.EncodeToString(r.sum.Sum(nil)) {
		return Line{}, malformed("its bytes are not those that were written: the hash at the end is another")
	}
	r.sum.Write(r.line)
	return l, nil
}

// readLine reads a line with its newline.
func (r *Reader) readLine() error {
	r.at += int64(len(r.line))
	r.line = r.line[:0]
	for {
		piece, err := r.r.ReadSlice('\n')
		r.line = append(r.line, piece...)
		switch {
		case len(r.line) > MaxLine:
			return malformed("a line of more than %d bytes", MaxLine)
		case err == nil:
			return nil
		case errors.Is(err, bufio.ErrBufferFull):
			continue
		case !errors.Is(err, io.EOF):
			return fmt.Errorf("evidence: %w", err)
		case r.order.section == atEnd && len(r.line) == 0:
			return io.EOF
		case r.order.section == atEnd:
			return malformed("something follows the end")
		}
		return malformed("it is cut off: there is no line that ends it")
	}
}
