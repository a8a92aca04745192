package httpapi_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/cairnlog/cairn/ledger/httpapi"
	"github.com/cairnlog/cairn/ledger/identity"
	"github.com/cairnlog/cairn/ledger/local"
	"github.com/cairnlog/cairn/proofs"
)

// Indices and sizes at the ends of every type that they pass through are
// refused as what is not there, and never as a failure of ours.
func TestNoNumberIsAFailure(t *testing.T) {
	s := serve(t, local.Config{}, httpapi.Limits{})
	var numbers []uint64
	for _, shift := range []uint{8, 16, 31, 32, 55, 56, 62, 63} {
		numbers = append(numbers, 1<<shift-1, 1<<shift)
	}
	numbers = append(numbers, 1<<64-256, 1<<64-1)
	ask := func(path string) {
		for _, role := range []identity.Role{identity.Reader, identity.Auditor} {
			got := s.request(t, "GET", path, "", s.token(role), "Range: bytes=0-1")
			if got.status != http.StatusBadRequest && got.status != http.StatusForbidden && got.status != http.StatusNotFound {
				t.Errorf("%s as %s: got %d %s", path, role, got.status, got.body)
			}
		}
	}
	for _, n := range numbers {
		for _, path := range []string{"/v1/entries/%d", "/v1/receipts/%d", "/v1/proofs/inclusion?index=%d", "/v1/proofs/inclusion?index=0&size=%d", "/v1/proofs/consistency?from=%d", "/v1/proofs/consistency?from=0&to=%d"} {
			ask(fmt.Sprintf(path, n))
		}
		for _, width := range []string{"", ".p/1", ".p/255"} {
			place := strings.TrimPrefix(proofs.Bundle{Index: n, Width: proofs.TileWidth}.Path(), "tile/entries/") + width
			for _, dir := range []string{"/v1/vault/", "/checkpoints/", "/tile/entries/", "/tile/0/", "/tile/7/", "/tile/8/", "/tile/63/"} {
				ask(dir + place)
			}
		}
	}
}
