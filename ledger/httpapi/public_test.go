package httpapi_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/ledger/httpapi"
	"github.com/cairnlog/cairn/ledger/identity"
	"github.com/cairnlog/cairn/ledger/local"
	"github.com/cairnlog/cairn/proofs"
)

func TestPublicFilesAreServedAsTlogTilesDemands(t *testing.T) {
	s := serve(t, local.Config{}, httpapi.Limits{})
	const forever, text, binary = "public, max-age=31536000, immutable", "text/plain; charset=utf-8", "application/octet-stream"
	tests := []struct{ path, mediaType, caching string }{
		{"/checkpoint", text, "public, max-age=2"},
		{"/tile/0/000.p/4", binary, forever},
		{"/tile/entries/000.p/4", binary, forever},
		{"/checkpoints/005", text, forever},
		{"/log", "application/json", "public, max-age=2"},
	}
	const plain = "Accept-Encoding: identity"
	for _, tt := range tests {
		got := s.request(t, "GET", tt.path, "", plain)
		if got.status != 200 || got.header.Get("Content-Type") != tt.mediaType || got.header.Get("Cache-Control") != tt.caching {
			t.Errorf("%s: got %d, %q, %q, want %q, %q", tt.path, got.status, got.header.Get("Content-Type"), got.header.Get("Cache-Control"), tt.mediaType, tt.caching)
		}
		if origin := got.header.Get("Access-Control-Allow-Origin"); origin != "*" {
			t.Errorf("%s: scripts of %q may read it, want all", tt.path, origin)
		}
		tag := got.header.Get("ETag")
		for _, match := range []string{tag, "W/" + tag, `"x", ` + tag, "*"} {
			if again := s.request(t, "GET", tt.path, "", plain, "If-None-Match: "+match); again.status != 304 || again.body != "" || again.header.Get("ETag") != tag {
				t.Errorf("%s, if none match %s: got %d, tag %s", tt.path, match, again.status, again.header.Get("ETag"))
			}
		}
		if again := s.request(t, "GET", tt.path, "", plain, `If-None-Match: "x"`); again.status != 200 {
			t.Errorf("%s, if none match another: got %d, want 200", tt.path, again.status)
		}
		head := s.request(t, "HEAD", tt.path, "", plain)
		if head.status != 200 || head.body != "" || head.header.Get("ETag") != tag || head.header.Get("Content-Length") != fmt.Sprint(len(got.body)) {
			t.Errorf("HEAD %s: got %d, %v, want what GET has, %d bytes", tt.path, head.status, head.header, len(got.body))
		}
	}
}

func TestPathsThatAreNotCanonicalDoNotExist(t *testing.T) {
	s := serve(t, local.Config{}, httpapi.Limits{})
	address := strings.TrimPrefix(s.url, "http://")
	for _, path := range []string{
		"/", "//checkpoint", "/checkpoint/", "/./checkpoint", "/x/../checkpoint", "/Checkpoint", "/checkpoin%74",
		"/tile/00/000.p/4", "/tile/0/000.p/0", "/tile/0/000.p/04", "/tile/0/000.p/256", "/tile/0/000.p/5000", "/tile/0/0.p/4", "/tile/0/x000/000.p/4",
		"/tile/0/%30%30%30.p/4", "/tile/0/000", "/tile/1/000", "/tile/64/000", "/tile/0/000.p/4/", "/tile/entries/000", "/tile/entries/000.p/0",
		"/tile/entries/../0/000.p/4", "/checkpoints/4", "/checkpoints/", "/checkpoints/../checkpoint", "/v1/../checkpoint", "/v1/entries%2F0", "/log/",
	} {
		// A client would clean some of them up, so they are sent by hand.
		c, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(c, "GET %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", path)
		answer, err := io.ReadAll(c)
		c.Close()
		if err != nil || !bytes.HasPrefix(answer, []byte("HTTP/1.1 404 ")) || !bytes.Contains(answer, []byte("application/problem+json")) {
			t.Errorf("%s: got %.60q and error %v, want 404 with a problem", path, answer, err)
		}
	}
}

func TestBundlesAreCompressedForThoseWhoTakeIt(t *testing.T) {
	s := serve(t, local.Config{}, httpapi.Limits{})
	const path = "/tile/entries/000.p/4"
	plain := s.request(t, "GET", path, "", "Accept-Encoding: identity")
	tests := []struct {
		accept string
		packed bool
	}{
		{"gzip", true}, {"br, GZIP;q=0.5", true}, {"gzip;q=0", false}, {"gzip; q=0.000", false}, {"*", false}, {"x-gzip", false}, {"identity", false},
	}
	for _, tt := range tests {
		got := s.request(t, "GET", path, "", "Accept-Encoding: "+tt.accept)
		if packed := got.header.Get("Content-Encoding") == "gzip"; packed != tt.packed {
			t.Errorf("accepting %s: packed %v, want %v", tt.accept, packed, tt.packed)
		}
		if got.header.Get("Vary") != "Accept-Encoding" {
			t.Errorf("accepting %s: caches are not told that it varies", tt.accept)
		}
		if !tt.packed {
			continue
		}
		z, err := gzip.NewReader(strings.NewReader(got.body))
		if err != nil {
			t.Fatal(err)
		}
		if unpacked, err := io.ReadAll(z); err != nil || string(unpacked) != plain.body {
			t.Errorf("accepting %s: got %d bytes and error %v, want the %d of the plain file", tt.accept, len(unpacked), err, len(plain.body))
		}
		if got.header.Get("ETag") == plain.header.Get("ETag") {
			t.Errorf("accepting %s: two representations have one tag", tt.accept)
		}
		if again := s.request(t, "GET", path, "", "Accept-Encoding: "+tt.accept, "If-None-Match: "+got.header.Get("ETag")); again.status != 304 {
			t.Errorf("accepting %s, if none match: got %d, want 304", tt.accept, again.status)
		}
	}
}

func TestNobodyNeedsATokenForThePublicFace(t *testing.T) {
	s := serve(t, local.Config{}, httpapi.Limits{})
	for _, token := range []string{"", "x"} {
		log := s.with(t, token)
		signed, err := log.ReadFile(t.Context(), "checkpoint")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Policy.Check(signed); err != nil {
			t.Error(err)
		}
	}
}

func TestKeptCheckpointsAreListedAndServed(t *testing.T) {
	s := serve(t, local.Config{}, httpapi.Limits{})
	anybody := s.with(t, "")
	n := 0
	for path, err := range anybody.KeptCheckpoints(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		signed, err := anybody.ReadFile(t.Context(), path)
		if err != nil {
			t.Fatal(err)
		}
		v, err := s.Policy.CheckLog(signed)
		if err != nil || path != "checkpoints/"+proofs.FormatIndexPath(v.Checkpoint.Size) {
			t.Errorf("%s: got size %d and error %v", path, v.Checkpoint.Size, err)
		}
		n++
	}
	if n == 0 {
		t.Error("no checkpoint is kept")
	}
}

func TestProofsAndSealedRecordsAreOfThePublishedTree(t *testing.T) {
	s := serve(t, local.Config{}, httpapi.Limits{})
	a, err := s.as(t, identity.Writer).Append(t.Context(), "default", []client.Event{{Data: []byte(`"a secret of mine"`)}}, client.Witnessed)
	if err != nil {
		t.Fatal(err)
	}
	auditor := s.as(t, identity.Auditor)
	signed, err := auditor.ReadFile(t.Context(), "checkpoint")
	if err != nil {
		t.Fatal(err)
	}
	v, err := s.Policy.Check(signed)
	if err != nil {
		t.Fatal(err)
	}
	size := v.Checkpoint.Size
	proof, err := auditor.ProveInclusion(t.Context(), a[0].Index, size)
	if err != nil {
		t.Fatal(err)
	}
	if err := proofs.CheckInclusion(a[0].Index, size, proofs.LeafHash(a[0].Leaf), proof, v.Checkpoint.Root); err != nil {
		t.Error(err)
	}
	oldRoot, err := proofs.Root(t.Context(), 3, proofs.NewReader(v.Checkpoint, auditor))
	if err != nil {
		t.Fatal(err)
	}
	if proof, err = auditor.ProveConsistency(t.Context(), 3, size); err != nil {
		t.Fatal(err)
	}
	if err := proofs.CheckConsistency(3, size, oldRoot, v.Checkpoint.Root, proof); err != nil {
		t.Error(err)
	}
	var records []byte
	n := uint64(0)
	for record, err := range auditor.VaultRecords(t.Context(), proofs.Bundle{Width: int(size)}) {
		if err != nil {
			t.Fatal(err)
		}
		records = append(records, record...)
		n++
	}
	if n != size || len(records) == 0 {
		t.Errorf("vault: got %d records of %d bytes, want %d", n, len(records), size)
	}
	if bytes.Contains(records, []byte("a secret of mine")) {
		t.Error("the sealed records hold a payload in clear")
	}
}

func TestOtherMethodsAreRefused(t *testing.T) {
	s := serve(t, local.Config{}, httpapi.Limits{})
	tests := []struct{ method, path, allow string }{
		{"POST", "/checkpoint", "GET, HEAD"},
		{"DELETE", "/tile/0/000.p/4", "GET, HEAD"},
		{"GET", "/v1/streams/default/entries", "POST"},
		{"PATCH", "/v1/streams", "GET, HEAD, POST"},
		{"GET", "/v1/streams/default", "PUT"},
		{"PROPFIND", "/v1/tokens/0", "DELETE"},
	}
	for _, tt := range tests {
		got := s.request(t, tt.method, tt.path, "")
		if got.status != http.StatusMethodNotAllowed || got.header.Get("Allow") != tt.allow || got.header.Get("Content-Type") != "application/problem+json" {
			t.Errorf("%s %s: got %d, allow %q, want 405, %q", tt.method, tt.path, got.status, got.header.Get("Allow"), tt.allow)
		}
	}
	got := s.request(t, "OPTIONS", "/checkpoint", "")
	if got.status != http.StatusNoContent || got.header.Get("Access-Control-Allow-Origin") != "*" || got.header.Get("Access-Control-Allow-Methods") != "GET, HEAD" {
		t.Errorf("OPTIONS of a public file: got %d, %v", got.status, got.header)
	}
	got = s.request(t, "OPTIONS", "/v1/status", "")
	if got.status != http.StatusNoContent || got.header.Get("Access-Control-Allow-Origin") != "" {
		t.Errorf("OPTIONS of a private path: got %d, %v, want no page to be let in", got.status, got.header)
	}
	if got := s.request(t, "GET", "/v1/status", "", s.token(identity.Operator)); got.header.Get("Access-Control-Allow-Origin") != "" || got.header.Get("Cache-Control") != "no-store" {
		t.Errorf("a private answer: got %v, want it to be kept by nobody", got.header)
	}
}

func TestEveryAnswerIsNoPage(t *testing.T) {
	s := serve(t, local.Config{}, httpapi.Limits{})
	for _, path := range []string{"/checkpoint", "/log", "/nothing", "/v1/status", "/healthz", "/metrics"} {
		h := s.request(t, "GET", path, "").header
		if h.Get("X-Content-Type-Options") != "nosniff" || !strings.Contains(h.Get("Content-Security-Policy"), "default-src 'none'") || h.Get("Referrer-Policy") != "no-referrer" {
			t.Errorf("%s: got header %v", path, h)
		}
	}
}
