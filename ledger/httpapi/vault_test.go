package httpapi_test

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/ledger/httpapi"
	"github.com/cairnlog/cairn/ledger/local"
	"github.com/cairnlog/cairn/proofs"
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
		if _, err := s.Ledger.As("w").Append(t.Context(), "default", events[:min(8, len(events))], client.Witnessed); err != nil {
			t.Fatal(err)
		}
	}
	return proofs.Bundle{Width: int(s.Ledger.Status().Sizes.Published)}
}

func vaultURL(b proofs.Bundle) string {
	return "/v1/vault/" + strings.TrimPrefix(b.Path(), "tile/entries/")
}

// Where a record cannot be read the answer has no end, so that nobody takes a
// part of it for the whole.
func TestSealedRecordsThatCanNotBeReadCutTheAnswerOff(t *testing.T) {
	s := serve(t, local.Config{}, httpapi.Limits{})
	b := s.fill(t, 30, 16<<10)
	n := 0
	for _, err := range s.as(t, httpapi.Auditor).VaultRecords(t.Context(), b) {
		if err != nil {
			t.Fatal(err)
		}
		n++
	}
	if n != b.Width {
		t.Errorf("got %d records, want %d", n, b.Width)
	}
	s.damageVault(t)
	req, err := http.NewRequestWithContext(t.Context(), "GET", s.url+vaultURL(b), nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+s.bearer[httpapi.Auditor])
	res, err := s.hc.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if n, err := io.Copy(io.Discard, res.Body); !errors.Is(err, io.ErrUnexpectedEOF) || res.StatusCode != http.StatusOK || n == 0 {
		t.Errorf("got status %d, %d bytes and error %v, want the answer to be cut off", res.StatusCode, n, err)
	}
	for _, last := range s.as(t, httpapi.Auditor).VaultRecords(t.Context(), b) {
		err = last
	}
	if err == nil || errors.Is(err, proofs.ErrMalformed) {
		t.Errorf("the client has all records with error %v, want that they could not be had", err)
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
