package audit_test

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/cairnlog/cairn/proofs"
	"github.com/cairnlog/cairn/proofs/audit"
)

func TestANoticeIsNoRecordAndNothingElseIsANotice(t *testing.T) {
	for _, index := range []uint64{0, 1, 255, 1<<63 - 1} {
		b := audit.FormatNotice(index)
		if got, err := audit.ParseNotice(b); err != nil || got != index {
			t.Errorf("of entry %d: got %d, %v", index, got, err)
		}
		if _, err := proofs.ParseRecord(b); err == nil {
			t.Errorf("the notice of entry %d is a record", index)
		}
	}
	good := audit.FormatNotice(7)
	for name, b := range map[string][]byte{
		"nothing":                  nil,
		"cut off":                  good[:len(good)-1],
		"with more":                append(slices.Clone(good), 0),
		"of another version":       append([]byte{1}, good[1:]...),
		"of another kind":          append([]byte{0, 2}, good[2:]...),
		"of an index beyond a log": append([]byte{0, 1, 0x80}, good[3:]...),
	} {
		if index, err := audit.ParseNotice(b); !errors.Is(err, proofs.ErrMalformed) {
			t.Errorf("%s: got entry %d, %v", name, index, err)
		}
	}
}

func FuzzParseNotice(f *testing.F) {
	f.Add(audit.FormatNotice(1))
	f.Fuzz(func(t *testing.T, b []byte) {
		index, err := audit.ParseNotice(b)
		if err == nil && !bytes.Equal(audit.FormatNotice(index), b) {
			t.Errorf("%x is not what entry %d formats to", b, index)
		}
		if err != nil && !errors.Is(err, proofs.ErrMalformed) {
			t.Errorf("%x: %v", b, err)
		}
	})
}

// Where a ledger says itself that it holds a record damaged, that is found as
// any other change of the record is, and the others are judged.
func TestWhatALedgerSaysIsDamagedIsFound(t *testing.T) {
	l := newLedger(t)
	l.publish(300)
	first := proofs.Bundle{Index: 0, Width: 256}
	notice := func(index uint64) func([]byte) []byte {
		return func([]byte) []byte { return audit.FormatNotice(index) }
	}
	files := l.without(first, notice(20), 20)
	r := l.audit(files, nil)
	if len(r.Findings) != 1 || r.OK() || r.State != nil {
		t.Fatalf("found %v, want one thing", r.Findings)
	}
	f := r.Findings[0]
	if f.Kind != audit.RecordAltered || f.Index != 20 || f.Path != "vault/000" || !strings.Contains(f.Detail, "the ledger itself says") {
		t.Errorf("found %+v", f)
	}
	if whole := l.audit(l.files, nil).Summary; r.Summary.Records != whole.Records-1 || r.Summary.NoRecord != whole.NoRecord {
		t.Errorf("counted %+v, want one record less than %+v", r.Summary, whole)
	}
	// It says nothing of another entry, and nothing where there is no record.
	other := l.without(first, notice(21), 20)
	none := l.without(first, notice(0), 0)
	for want, found := range map[string][]audit.Finding{"20": l.audit(other, nil).Findings, "0": l.audit(none, nil).Findings} {
		if len(found) != 1 || found[0].Kind != audit.RecordAltered || fmt.Sprint(found[0].Index) != want {
			t.Errorf("found %v, want that the record of entry %s is damaged", found, want)
		}
	}
}
