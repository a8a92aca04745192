package audit_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/cairnlog/cairn/proofs"
	"github.com/cairnlog/cairn/proofs/audit"
)

// without returns the files of the ledger with a vault file in which the
// records of entries were changed.
func (l *ledger) without(b proofs.Bundle, change func(record []byte) []byte, indices ...int) fstest.MapFS {
	records := slices.Clone(l.records[b.Index*proofs.TileWidth:][:b.Width])
	for _, i := range indices {
		at := i - int(b.Index*proofs.TileWidth)
		records[at] = change(records[at])
	}
	files := l.copy()
	files[audit.VaultPath(b)] = &fstest.MapFile{Data: audit.FormatVault(records)}
	return files
}

func dropped([]byte) []byte { return nil }

func withoutPart(b []byte) []byte {
	r := check(proofs.ParseRecord(b))
	r.Parts[0].Sealed = nil
	return check(proofs.FormatRecord(r))
}

func withoutTags(b []byte) []byte {
	r := check(proofs.ParseRecord(b))
	r.Tags[0].Sealed = nil
	return check(proofs.FormatRecord(r))
}

// A payload is missing only if an entry says why, and none can yet.
func TestNothingIsGoneWithoutAReason(t *testing.T) {
	l := newLedger(t)
	l.publish(300)
	l.publish(600)
	second, last, earlier := proofs.Bundle{Index: 1, Width: 256}, proofs.Bundle{Index: 2, Width: 88}, proofs.Bundle{Index: 1, Width: 44}
	across := l.without(second, dropped, 510, 511)
	across["vault/002.p/88"] = l.without(last, dropped, 512, 513)["vault/002.p/88"]
	mixed := l.without(second, dropped, 300, 301)
	unread := l.without(second, dropped, 300)
	delete(unread, "tile/entries/001")
	delete(unread, "tile/entries/001.p/44")
	for _, tt := range []struct {
		name  string
		files fstest.MapFS
		want  []string // index, last, path
	}{
		{"one record", l.without(second, dropped, 300), []string{"300 0 vault/001"}},
		{"records side by side are one finding", mixed, []string{"300 301 vault/001"}},
		{"and others another", l.without(second, dropped, 300, 301, 303), []string{"300 301 vault/001", "303 0 vault/001"}},
		{"side by side in two files", across, []string{"510 513 vault/001"}},
		{"the first and the last entry of a file", l.without(second, dropped, 256, 511), []string{"256 0 vault/001", "511 0 vault/001"}},
		{"the last entry of all", l.without(last, dropped, 599), []string{"599 0 vault/002.p/88"}},
		{"a part of a record", l.without(second, withoutPart, 300, 301), []string{"300 301 vault/001"}},
		{"the tags of a record", l.without(last, withoutTags, 512), []string{"512 0 vault/002.p/88"}},
		{"in a file of an earlier size alone", l.without(earlier, dropped, 258, 259), []string{"258 259 vault/001.p/44"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := l.audit(tt.files, nil)
			var got []string
			for _, f := range r.Findings {
				got = append(got, fmt.Sprint(f.Index, f.Last, " ", f.Path))
				if f.Kind != audit.RecordMissing || !strings.HasSuffix(f.Detail, "no entry of the log says why.") || !strings.Contains(f.Detail, fmt.Sprint(max(f.Index, f.Last))) {
					t.Errorf("found %+v", f)
				}
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("found %q, want %q", got, tt.want)
			}
			if r.OK() || r.State != nil {
				t.Errorf("it is right: %v, with a state to go on from: %v", r.OK(), r.State != nil)
			}
		})
	}
	for _, f := range l.audit(unread, nil).Findings {
		if f.Kind != audit.BundleMissing {
			t.Errorf("the entries are not known, and yet it is found: %v", f)
		}
	}
}

// What is gone is counted too, and no more findings are kept than are asked for.
func TestTheSummaryCountsWhatIsGone(t *testing.T) {
	l := newLedger(t)
	l.publish(300)
	first := proofs.Bundle{Index: 0, Width: 256}
	if s := l.audit(l.without(first, dropped, 10, 20, 30), nil).Summary; s.Records != 293 || s.NoRecord != 7 || s.RecordsErased != 0 {
		t.Errorf("records that are gone: %+v", s)
	}
	if s := l.audit(l.without(first, withoutPart, 10, 20, 30), nil).Summary; s.Records != 296 || s.NoRecord != 4 || s.RecordsErased != 3 {
		t.Errorf("parts that are gone: %+v", s)
	}
	r, err := audit.Run(t.Context(), l.without(first, dropped, 10, 20, 30), audit.Options{Policy: l.policy, MaxFindings: 2})
	if err != nil || len(r.Findings) != 2 || r.Total != 3 {
		t.Errorf("%d findings of %d, %v", len(r.Findings), r.Total, err)
	}
}
