package client_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"strings"
	"testing"
	"testing/iotest"
	"testing/synctest"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/proofs"
	"github.com/cairnlog/cairn/proofs/audit"
)

// breaksAfter answers with the beginning of a body, and then the connection is
// gone.
func breaksAfter(body []byte, n int) func(*http.Request) (*http.Response, error) {
	return func(r *http.Request) (*http.Response, error) {
		b := io.MultiReader(bytes.NewReader(body[:n]), iotest.ErrReader(io.ErrUnexpectedEOF))
		return &http.Response{StatusCode: 200, Header: http.Header{}, Body: io.NopCloser(b), Request: r}, nil
	}
}

// vaultRecords collects the records of the bundle of 4 entries.
func vaultRecords(ctx context.Context, h *client.HTTP) (records []string, err error) {
	for r, err := range h.VaultRecords(ctx, proofs.Bundle{Index: 1234, Width: 4}) {
		if err != nil {
			return records, err
		}
		records = append(records, string(r))
	}
	return records, nil
}

// An address without the vault says nothing of what the ledger has.
func TestNoVaultAtAnAddressIsNoMissingBundle(t *testing.T) {
	h, _ := dial(t, problem(client.NoSuchPath, 404))
	_, err := vaultRecords(t.Context(), h)
	var p *client.Problem
	if errors.Is(err, fs.ErrNotExist) || !errors.As(err, &p) || p.Code() != client.NoSuchPath {
		t.Errorf("got error %v, want that the address serves no such path", err)
	}
}

func TestSealedRecordsAreReadOneByOne(t *testing.T) {
	file := audit.FormatVault([][]byte{[]byte("one"), nil, []byte("three"), []byte("four")})
	whole, part := string(file), string(file[:len(file)-4])
	ok, missing := answers(200, whole), problem(client.NotFound, 404)
	for name, tt := range map[string]struct {
		steps   []func(*http.Request) (*http.Response, error)
		records int
		want    error // nil: none
	}{
		"at once":                     {[]func(*http.Request) (*http.Response, error){ok}, 4, nil},
		"when there is room":          {[]func(*http.Request) (*http.Response, error){problem(client.Overloaded, 503, "Retry-After: 1"), ok}, 4, nil},
		"over three connections":      {[]func(*http.Request) (*http.Response, error){breaksAfter(file, 9), breaksAfter(file, 14), ok}, 4, nil},
		"over many that go on":        {[]func(*http.Request) (*http.Response, error){breaksAfter(file, 8), fails(errBroken), breaksAfter(file, 12), fails(errBroken), breaksAfter(file, 21), ok}, 4, nil},
		"not over those that do not":  {[]func(*http.Request) (*http.Response, error){breaksAfter(file, 2), breaksAfter(file, 2), breaksAfter(file, 2), breaksAfter(file, 2), ok}, 0, errCut},
		"of no bundle":                {[]func(*http.Request) (*http.Response, error){missing}, 0, fs.ErrNotExist},
		"of a file that is too short": {[]func(*http.Request) (*http.Response, error){answers(200, part)}, 3, proofs.ErrMalformed},
		"of a file that is too long":  {[]func(*http.Request) (*http.Response, error){answers(200, whole+"x")}, 4, proofs.ErrMalformed},
		"of more than a record has":   {[]func(*http.Request) (*http.Response, error){answers(200, "\x02\x00\x00\x01")}, 0, proofs.ErrMalformed},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h, s := dial(t, tt.steps...)
				got, err := vaultRecords(t.Context(), h)
				if want := []string{"one", "", "three", "four"}[:tt.records]; fmt.Sprint(got) != fmt.Sprint(want) {
					t.Errorf("got %q, want %q", got, want)
				}
				if tt.want == errCut && err != nil && strings.Contains(err.Error(), "was cut off") {
					err = errCut
				}
				if (err == nil) != (tt.want == nil) || !errors.Is(err, tt.want) {
					t.Errorf("got error %v, want %v", err, tt.want)
				}
				if path := s.requests[0].URL.Path; path != "/prefix/v1/vault/x001/234.p/4" {
					t.Errorf("asked for %s", path)
				}
			})
		})
	}
}

var errCut = errors.New("the answer was cut off")

func TestTheReaderOfRecordsMayStop(t *testing.T) {
	h, s := dial(t, answers(200, string(audit.FormatVault([][]byte{{1}, {2}, {3}, {4}}))))
	for range h.VaultRecords(t.Context(), proofs.Bundle{Width: 4}) {
		break
	}
	if len(s.requests) != 1 {
		t.Errorf("asked %d times, want once", len(s.requests))
	}
}
