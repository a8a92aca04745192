package httpapi_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/ledger"
	"github.com/cairnlog/cairn/ledger/httpapi"
	"github.com/cairnlog/cairn/ledger/identity"
	"github.com/cairnlog/cairn/ledger/local"
	"github.com/cairnlog/cairn/proofs"
	"github.com/cairnlog/cairn/proofs/audit"
)

// fill appends n events of a size and returns the bundle of all entries.
func (s *served) fill(t *testing.T, n, size int) proofs.Bundle {
	t.Helper()
	events := make([]client.Event, n)
	for i := range events {
		data := fmt.Sprintf("%08d", i) + strings.Repeat("x", size-8)
		events[i] = client.Event{Data: []byte(data), MediaType: "text/plain"}
	}
	for ; len(events) > 0; events = events[min(8, len(events)):] {
		if _, err := s.Ledger.As(ledger.Caller{Name: "w"}).Append(t.Context(), "default", events[:min(8, len(events))], client.Witnessed); err != nil {
			t.Fatal(err)
		}
	}
	return proofs.Bundle{Width: int(s.Ledger.Status().Sizes.Published)}
}

func vaultURL(b proofs.Bundle) string {
	return "/v1/vault/" + strings.TrimPrefix(b.Path(), "tile/entries/")
}

// records returns what an auditor gets of a bundle.
func (s *served) records(t *testing.T, b proofs.Bundle) (records [][]byte) {
	t.Helper()
	for record, err := range s.as(t, identity.Auditor).VaultRecords(t.Context(), b) {
		if err != nil {
			t.Fatal(err)
		}
		records = append(records, slices.Clone(record))
	}
	return records
}

// export returns what an auditor gets of a ledger of one bundle.
func (s *served) export(t *testing.T) fstest.MapFS {
	t.Helper()
	h := s.as(t, identity.Auditor)
	signed, err := h.ReadFile(t.Context(), audit.CheckpointFile)
	if err != nil {
		t.Fatal(err)
	}
	c, err := proofs.ParseSignedCheckpoint(signed)
	if err != nil {
		t.Fatal(err)
	}
	b, _ := proofs.BundleIn(c.Size, 0)
	files := fstest.MapFS{audit.CheckpointFile: {Data: signed}, audit.VaultPath(b): {Data: audit.FormatVault(s.records(t, b))}}
	for _, path := range []string{b.Path(), proofs.Tile{Width: b.Width}.Path()} {
		data, err := h.ReadFile(t.Context(), path)
		if err != nil {
			t.Fatal(err)
		}
		files[path] = &fstest.MapFile{Data: data}
	}
	return files
}

// A flipped bit in the vault costs the auditor one record, not the others, and
// is a finding that names the entry. Monitoring sees it too.
func TestADamagedRecordIsSaidToBeAndTheOthersAreGiven(t *testing.T) {
	s := serve(t, local.Config{}, httpapi.Limits{})
	b := s.fill(t, 30, 16<<10)
	whole := s.records(t, b)
	if len(whole) != b.Width {
		t.Errorf("got %d records, want %d", len(whole), b.Width)
	}
	s.damageVault(t)
	records := s.records(t, b)
	damaged := -1
	for i, r := range records {
		switch index, err := audit.ParseNotice(r); {
		case bytes.Equal(r, whole[i]):
		case err == nil && damaged < 0 && index == uint64(i):
			damaged = i
		default:
			t.Errorf("entry %d: got %d bytes, and entry %d is said to be damaged, %v", i, len(r), index, err)
		}
	}
	if len(records) != b.Width || damaged < 0 {
		t.Fatalf("got %d records, want %d, and entry %d is said to be damaged", len(records), b.Width, damaged)
	}
	report, err := audit.Run(t.Context(), s.export(t), audit.Options{Policy: s.Policy})
	if err != nil {
		t.Fatal(err)
	}
	if f := report.Findings; len(f) != 1 || f[0].Kind != audit.RecordAltered || f[0].Index != int64(damaged) {
		t.Errorf("found %v, want that the record of entry %d is damaged", f, damaged)
	}
	const metric = "cairn_http_damage_total 2" // it was read twice
	if got := s.request(t, "GET", "/metrics", ""); !strings.Contains(got.body, metric+"\n") {
		t.Errorf("the metrics lack %s", metric)
	}
}

// What was damaged is told to the operator and to nobody else, once a request.
func TestDamageIsLoggedAndNotTold(t *testing.T) {
	s := serve(t, local.Config{}, httpapi.Limits{})
	b := s.fill(t, 30, 16<<10)
	s.damageVault(t)
	var logged bytes.Buffer
	got := handle(loggingAPI(t, s, &logged).Handler(httpapi.Read), "GET", vaultURL(b), s.token(identity.Auditor))
	if got.status != http.StatusOK || strings.Contains(got.body, "corrupt") {
		t.Errorf("got %d, want the records with a notice", got.status)
	}
	if log := logged.String(); strings.Count(log, "level=ERROR") != 1 || !strings.Contains(log, "records=1") || !strings.Contains(log, "corrupt") {
		t.Errorf("the log has %s, want what is damaged", log)
	}
}

// Where the server itself fails the answer has no end, so that nobody takes a
// part of it for the whole.
func TestRecordsThatCanNotBeReadCutTheAnswerOff(t *testing.T) {
	s := serve(t, local.Config{}, httpapi.Limits{})
	b := s.fill(t, 100, 256<<10) // more than buffers hold
	req, err := http.NewRequestWithContext(t.Context(), "GET", s.url+vaultURL(b), nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+s.bearer[identity.Auditor])
	res, err := s.hc.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if n, err := io.Copy(io.Discard, res.Body); !errors.Is(err, io.ErrUnexpectedEOF) || res.StatusCode != http.StatusOK || n == 0 {
		t.Errorf("got status %d, %d bytes and error %v, want the answer to be cut off", res.StatusCode, n, err)
	}
	for _, last := range s.as(t, identity.Auditor).VaultRecords(t.Context(), b) {
		err = last
	}
	if err == nil || errors.Is(err, proofs.ErrMalformed) {
		t.Errorf("the client has all records with error %v, want that they could not be had", err)
	}
	const metric = `cairn_http_requests_total{route="/v1/vault/{place...}",status="cut"} 1`
	if got := s.request(t, "GET", "/metrics", ""); !strings.Contains(got.body, metric) {
		t.Errorf("the metrics lack %s", metric)
	}
}

// damageVault flips a bit late in the largest file of the vault.
func (s *served) damageVault(t *testing.T) {
	t.Helper()
	var largest string
	var size int64
	err := filepath.WalkDir(s.dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.Contains(path, "vault") {
			return err
		}
		info, err := d.Info()
		if err == nil && info.Size() > size {
			largest, size = path, info.Size()
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(largest, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	b := make([]byte, 1)
	if _, err := f.ReadAt(b, size*3/4); err != nil {
		t.Fatal(err)
	}
	b[0] ^= 1
	if _, err := f.WriteAt(b, size*3/4); err != nil {
		t.Fatal(err)
	}
}
