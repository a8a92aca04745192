package audit

import (
	"encoding/binary"
	"fmt"

	"github.com/cairnlog/cairn/proofs"
)

const (
	noticeVersion = 0 // which no record has
	noticeDamaged = 1
	noticeSize    = 10
)

// FormatNotice returns what stands in a vault file in the place of a record
// that the ledger holds damaged: the bytes that it stored are not those that it
// reads. It tells nothing of them.
//
//	struct {
//	    uint8  version = 0;      /* no record begins so */
//	    uint8  kind = 1;         /* damaged */
//	    uint64 index;            /* of the entry; at most 2^63-1 */
//	} Notice;
//
// So a damaged record keeps nobody from reading those behind it. Readers that
// do not know notices take one for a record that was changed, which is right.
func FormatNotice(index uint64) []byte {
	return binary.BigEndian.AppendUint64([]byte{noticeVersion, noticeDamaged}, index)
}

// ParseNotice reads what [FormatNotice] writes, and nothing else: errors match
// [proofs.ErrMalformed]. It returns the index of the entry whose record is
// damaged.
func ParseNotice(b []byte) (index uint64, err error) {
	if len(b) != noticeSize || b[0] != noticeVersion || b[1] != noticeDamaged {
		return 0, fmt.Errorf("%w: vault: no notice of a damaged record", proofs.ErrMalformed)
	}
	if index = binary.BigEndian.Uint64(b[2:]); index > 1<<63-1 {
		return 0, fmt.Errorf("%w: vault: a notice of entry %d, which no log has", proofs.ErrMalformed, index)
	}
	return index, nil
}
