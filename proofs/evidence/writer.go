package evidence

import (
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"io"
)

// A Writer writes a file, line by line. It refuses what would not be read
// back, and what is out of order. After an error the file is of no use.
type Writer struct {
	w     io.Writer
	sum   hash.Hash
	order order
}

// NewWriter begins a file. Checkpoints follow, then searches and attestations on
// them, then context, then entries.
func NewWriter(w io.Writer, h Header) (*Writer, error) {
	out := &Writer{w: w, sum: sha256.New()}
	return out, out.write(Line{Header: &h})
}

// Checkpoint writes the next checkpoint. All entries are proven under the last.
func (w *Writer) Checkpoint(c Checkpoint) error { return w.write(Line{Checkpoint: &c}) }

// Search writes the next search proof.
func (w *Writer) Search(s Search) error { return w.write(Line{Search: &s}) }

// Attestation writes an auditor's word on the directories that searches rest on.
func (w *Writer) Attestation(a Attestation) error { return w.write(Line{Attestation: &a}) }

// Context writes the next entry that says something about others.
func (w *Writer) Context(e Entry) error { return w.write(Line{Context: &e}) }

// Entry writes the next entry.
func (w *Writer) Entry(e Entry) error { return w.write(Line{Entry: &e}) }

// Close ends the file. It does not close what it is written to. A file that
// was not closed is told from a whole one.
func (w *Writer) Close() error {
	n := w.order.counts
	n.SHA256 = hex.EncodeToString(w.sum.Sum(nil))
	return w.write(Line{End: &n})
}

func (w *Writer) write(l Line) error {
	b, err := FormatLine(l)
	if err != nil {
		return err
	}
	if err := w.order.take(l, len(b)); err != nil {
		return err
	}
	w.sum.Write(b)
	_, err = w.w.Write(b)
	return err
}
