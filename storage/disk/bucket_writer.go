package disk

import (
	"fmt"

	"github.com/cairnlog/cairn/storage"
)

// A bucketWriter writes records behind an extent, in large pieces.
type bucketWriter struct {
	files      *bucketFiles
	extent     extent // with what was written, once it is flushed
	data, rows []byte // not yet written
	soon       bool   // a sync follows the last record
}

// add adds a record, whose index is above the last one.
func (w *bucketWriter) add(r storage.VaultRecord) error {
	w.addRow(r.Index)
	w.data = appendRecord(w.data, r)
	return w.flushLarge()
}

// addRow adds the row of the record that is added next.
func (w *bucketWriter) addRow(index uint64) {
	if w.extent.rows == 0 && len(w.rows) == 0 {
		w.extent.first = index
	}
	w.extent.last = index
	w.rows = appendRow(w.rows, w.files.name.bucket, row{index, w.extent.bytes + uint64(len(w.data))})
}

// flushLarge writes what was added once it is much.
func (w *bucketWriter) flushLarge() error {
	if len(w.data) < writeSize {
		return nil
	}
	return w.flush()
}

// flush writes what was added.
func (w *bucketWriter) flush() error {
	if len(w.rows) == 0 {
		return nil
	}
	if w.extent.bytes+uint64(len(w.data)) > maxOffset {
		return fmt.Errorf("vault bucket %d: too large: %w", w.files.name.bucket, storage.ErrNoSpace)
	}
	if _, err := w.files.records.WriteAt(w.data, int64(w.extent.bytes)); err != nil {
		return err
	}
	if w.soon {
		beginSync(w.files.records, int64(w.extent.bytes), int64(len(w.data)))
	}
	if _, err := w.files.rows.WriteAt(w.rows, int64(w.extent.rows*rowSize)); err != nil {
		return err
	}
	w.extent.bytes += uint64(len(w.data))
	w.extent.rows += uint64(len(w.rows) / rowSize)
	w.data, w.rows = w.data[:0], w.rows[:0]
	return nil
}
