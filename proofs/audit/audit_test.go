package audit_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/cairnlog/cairn/proofs"
	"github.com/cairnlog/cairn/proofs/audit"
)

// A want is a finding that a case must bring up.
type want struct {
	kind  audit.FindingKind
	path  string
	index int64
}

func demand(t *testing.T, r *audit.Report, wants ...want) {
	t.Helper()
	var got []want
	for _, f := range r.Findings {
		got = append(got, want{f.Kind, f.Path, f.Index})
	}
	if !slices.Equal(got, wants) {
		t.Errorf("found %v\nwant %v\n%v", got, wants, r.Findings)
	}
	if r.OK() != (len(wants) == 0) {
		t.Errorf("OK is %v", r.OK())
	}
}

const none = audit.NoIndex

// Nothing is wrong with a ledger that nobody touched, and the summary says what
// was judged.
func TestACleanLedgerHasNoFindings(t *testing.T) {
	l := aLedger(t)
	r := l.audit(l.files, nil)
	demand(t, r)
	s := r.Summary
	want := audit.Summary{
		Origin: origin, To: 1000, Bytes: 100_794,
		Kinds:     map[string]uint64{"event": 976, "created": 1, "bucket-opened": 3, "access": 20},
		FirstTime: s.FirstTime, LastTime: s.LastTime, CosignedAt: s.CosignedAt,
		LogKeys: []string{fmt.Sprintf("%s+%08x", origin, l.log.Key().ID())}, Witnesses: []string{"w1", "w2", "w3"}, QuorumMet: true,
		Checkpoints: 8, WithQuorum: 8, Tiles: 11, Bundles: 8, Buckets: 3, Sources: 10, Receipts: 3,
		Vault: true, Records: 996, NoRecord: 4, VaultBytes: s.VaultBytes,
		Retained: audit.Retained{Payloads: 996}, Custodians: 1,
	}
	if !reflect.DeepEqual(s, want) {
		t.Errorf("summary\n%+v\nwant\n%+v", s, want)
	}
	first, last := time.UnixMicro(int64(entryTime(0))), time.UnixMicro(int64(entryTime(999)))
	if !s.FirstTime.Equal(first) || !s.LastTime.Equal(last) || s.CosignedAt.Before(last) || s.VaultBytes < 100_000 {
		t.Errorf("from %v to %v, cosigned at %v, %d bytes in the vault", s.FirstTime, s.LastTime, s.CosignedAt, s.VaultBytes)
	}
	for _, line := range []string{"1000 entries judged", "976 event, 1 created, 3 bucket-opened, 20 access", "cosigned by w1, w2, w3",
		"8 kept checkpoints (8 with quorum), 3 receipts", "records of 996 entries", "none of 4 entries"} {
		if !strings.Contains(s.String(), line) {
			t.Errorf("%q is not in\n%s", line, s)
		}
	}
	if r.State == nil || r.State.Checkpoint.Size != 1000 || r.State.Time != entryTime(999) || r.Checkpoint.Root != l.root(1000) {
		t.Errorf("state %+v", r.State)
	}
}

// Machines read the report as JSON.
func TestTheReportInJSON(t *testing.T) {
	l := aLedger(t)
	b, err := json.Marshal(l.audit(l.flipped("tile/entries/001", 80), nil))
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{`"findings":[{"kind":"entry-altered","index":256,"path":"tile/entries/001","detail":"Entry 256 `,
		`"checkpoint":{"origin":"ledger.example/audit","size":1000,"root":"` + l.root(1000).String() + `"},`,
		`"total":1`, `"origin":"ledger.example/audit"`, `"kinds":{"access":20,`, `"first_time":"2026-11-23T12:00:00Z"`} {
		if !strings.Contains(string(b), part) {
			t.Errorf("%s is not in %s", part, b)
		}
	}
	if b, err = json.Marshal(l.audit(l.files, nil)); err != nil || !strings.Contains(string(b), `"findings":[]`) {
		t.Errorf("without findings: %s, %v", b, err)
	}
	if b, err = json.Marshal(l.audit(fstest.MapFS{}, nil)); err != nil || strings.Contains(string(b), `"checkpoint":`) {
		t.Errorf("without a checkpoint: %s, %v", b, err)
	}
}

// Too many findings are counted, not kept.
func TestFindingsAreBounded(t *testing.T) {
	l := aLedger(t)
	files := l.copy()
	files["tile/entries/001"], files["tile/entries/002"] = files["tile/entries/002"], files["tile/entries/001"]
	r, err := audit.Run(t.Context(), files, audit.Options{Policy: l.policy, MaxFindings: 10})
	if err != nil || len(r.Findings) != 10 || r.Total != 512 || r.OK() {
		t.Errorf("%d findings out of %d, %v", len(r.Findings), r.Total, err)
	}
}

// An error means that the ledger could not be judged.
func TestErrors(t *testing.T) {
	l := aLedger(t)
	if r, err := audit.Run(t.Context(), l.files, audit.Options{}); err == nil {
		t.Errorf("without a policy: %v", r)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if r, err := audit.Run(ctx, l.files, audit.Options{Policy: l.policy}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v, %v", r, err)
	}
	other := newLedger(t)
	other.publish(5)
	state := other.audit(other.files, nil).State
	state.Checkpoint.Origin = "another.example"
	if r, err := audit.Run(t.Context(), l.files, audit.Options{Policy: l.policy, State: state}); err == nil {
		t.Errorf("with another ledger's state: %v", r)
	}
	for path := range l.files {
		r, err := audit.Run(t.Context(), broken{l.files, path}, audit.Options{Policy: l.policy})
		if !errors.Is(err, errDisk) || !strings.Contains(err.Error(), path) {
			t.Errorf("%s can't be read: %v, %v", path, r, err)
		}
	}
}

var errDisk = errors.New("the disk is broken")

// broken is files of which one can't be read.
type broken struct {
	fstest.MapFS
	path string
}

func (b broken) Open(path string) (fs.File, error) {
	if path == b.path {
		return nil, &fs.PathError{Op: "open", Path: path, Err: errDisk}
	}
	return b.MapFS.Open(path)
}

// plain is files that can be opened by name and not listed, as over HTTP.
type plain struct{ files fstest.MapFS }

func (p plain) Open(path string) (fs.File, error) {
	if _, ok := p.files[path]; !ok {
		return nil, &fs.PathError{Op: "open", Path: path, Err: fs.ErrNotExist}
	}
	return p.files.Open(path)
}

func TestFilesThatCanNotBeListed(t *testing.T) {
	l := aLedger(t)
	r, err := audit.Run(t.Context(), plain{l.files}, audit.Options{Policy: l.policy})
	if err != nil || !r.OK() || len(r.Summary.NotJudged) != 1 || r.Summary.To != 1000 || r.State == nil {
		t.Errorf("%v, %v", r, err)
	}
	r, err = audit.Run(t.Context(), plain{l.flipped("tile/0/001", 80)}, audit.Options{Policy: l.policy})
	if err != nil || !named(r, "tile/0/001", 256) {
		t.Errorf("%v, %v", r, err)
	}
}

func TestProgress(t *testing.T) {
	l := newLedger(t)
	l.vault = false
	l.publish(20_000)
	var last audit.Progress
	calls := 0
	_, err := audit.Run(t.Context(), l.files, audit.Options{Policy: l.policy, Progress: func(p audit.Progress) {
		if p.Entries < last.Entries || p.Total != 20_000 {
			t.Errorf("%v after %v", p, last)
		}
		last, calls = p, calls+1
	}})
	if err != nil || last.Entries != 20_000 || calls < 2 {
		t.Errorf("%d calls up to %v, %v", calls, last, err)
	}
}

// However many workers there are, the report is the same.
func TestWorkersDoNotChangeTheReport(t *testing.T) {
	l := aLedger(t)
	files := l.flipped("tile/entries/002", 8*100)
	delete(files, "tile/0/001")
	files["checkpoints/777"] = &fstest.MapFile{Data: l.sign(777, proofs.Hash{})}
	var reports []string
	for _, workers := range []int{1, 2, 7} {
		r, err := audit.Run(t.Context(), files, audit.Options{Policy: l.policy, Workers: workers})
		if err != nil {
			t.Fatal(err)
		}
		reports = append(reports, fmt.Sprint(r.Findings, r.Total, r.Summary))
	}
	if reports[0] != reports[1] || reports[0] != reports[2] || !strings.Contains(reports[0], "777") {
		t.Errorf("%q", reports)
	}
}
