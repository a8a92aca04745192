package evidence_test

import (
	"bytes"
	"errors"
	"testing"

	"github.com/cairnlog/cairn/proofs"
	"github.com/cairnlog/cairn/proofs/evidence"
)

func FuzzParseLine(f *testing.F) {
	for _, v := range vectors() {
		for _, line := range linesOf([]byte(v.File)) {
			f.Add(line)
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		l, err := evidence.ParseLine(b)
		if err != nil {
			if !errors.Is(err, proofs.ErrMalformed) {
				t.Fatalf("got error %v, want that it is malformed", err)
			}
			return
		}
		if again, err := evidence.FormatLine(l); err != nil || !bytes.Equal(again, b) {
			t.Errorf("got %q and error %v, want %q", again, err, b)
		}
	})
}

// Whatever a line says, with a right end behind it, is judged and harms nobody.
func FuzzVerify(f *testing.F) {
	l, sound := searchedFile()
	lines := linesOf(l.bytes(sound))
	for _, v := range vectors() {
		for i, line := range linesOf([]byte(v.File)) {
			f.Add(uint8(i), line)
		}
	}
	f.Fuzz(func(t *testing.T, at uint8, line []byte) {
		changed := append([][]byte(nil), lines...)
		i := int(at) % (len(lines) - 1)
		changed[i] = line
		if len(line) == 0 || bytes.IndexByte(line, '\n') != len(line)-1 {
			return
		}
		report, err := evidence.Verify(bytes.NewReader(reseal(changed)), evidence.Options{Policy: l.policy})
		switch {
		case err != nil && !errors.Is(err, proofs.ErrMalformed) && !errors.Is(err, proofs.ErrNotVerified):
			t.Fatalf("got error %v", err)
		case err == nil && report.OK() && report.InLog != report.Entries:
			t.Errorf("it verifies, and %d of %d entries are in the log", report.InLog, report.Entries)
		case err == nil:
			mustCount(t, report)
		}
	})
}

// mustCount checks that each hit of a search is an entry of the file, or absent.
func mustCount(t *testing.T, report *evidence.Report) {
	t.Helper()
	for i, s := range report.Searches {
		if hits := uint64(len(s.Verdict.Hits)); s.Included+s.MoreAbsent+proofs.CountEntries(s.Absent) != hits || s.Shown > s.Included || s.Tagged > s.Shown {
			t.Errorf("search %d: got %+v, want each of %d hits once", i+1, s, hits)
		}
	}
}
