package main

import (
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/cairnlog/cairn/cmd/internal/command"
	"github.com/cairnlog/cairn/ledger"
)

// A busyArchive is an archive in which a bucket expires and a subject is erased
// just when somebody asks for something for the first time.
type busyArchive struct {
	*archive
	expires, erased []uint64
	happened        bool
}

func newBusyArchive(t *testing.T, path string) *busyArchive {
	a := &busyArchive{archive: newArchive(t)}
	for i := range 4 {
		a.expires = append(a.expires, a.record("logins", fmt.Sprintf(`{"who":"alice","n":%d}`, i)))
		a.erased = append(a.erased, a.record("calls", fmt.Sprintf(`{"from":"alice","to":"bob","n":%d}`, i)))
		a.record("calls", fmt.Sprintf(`{"from":"carol","to":"bob","n":%d}`, i))
	}
	var once sync.Once
	a.before = func(r *http.Request) {
		if strings.HasPrefix(r.URL.Path, path) {
			once.Do(a.happens) // others wait
		}
	}
	return a
}

// happens lets it happen, in another request's time.
func (a *busyArchive) happens() {
	a.happened = true
	if _, err := a.as("custodian").Erase(a.t.Context(), ledger.Erasure{Stream: "calls", Subject: "alice", Reason: "asked to"}); err != nil {
		a.t.Error(err)
	}
	a.later(33)
	a.gone(a.expires[0])
	a.record("calls", `{"after":1}`) // when it is published, so is that it is done
}

// What a ledger closes while it is audited is no finding.
func TestAnAuditOfALedgerThatClosesMeanwhile(t *testing.T) {
	for _, tt := range []struct {
		name, path, role string
		args             []string
		says             string
	}{
		{"with its sealed records", "/v1/vault/", "auditor", []string{"--vault"}, "The ledger grew meanwhile: the next "},
		{"whose payloads are opened", "/v1/entries/", "reader", []string{"--open", "all"}, "8 were closed meanwhile for a published reason"},
		{"a sample of whose payloads is opened", "/v1/entries/", "reader", []string{"--open", "11"}, "were closed meanwhile for a published reason"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a := newBusyArchive(t, tt.path)
			stdout := a.must(tt.role, append([]string{"audit"}, tt.args...)...)
			if !a.happened || !strings.Contains(stdout, tt.says) {
				t.Errorf("it has happened: %v; got\n%s\nwant %q", a.happened, stdout, tt.says)
			}
			if stdout := a.must(tt.role, append([]string{"audit"}, tt.args...)...); strings.Contains(stdout, "meanwhile") {
				t.Errorf("got\n%s", stdout)
			}
		})
	}
}

// An export in which something closes meanwhile, and one that goes on when
// something was closed, are those of a ledger without a fault, and hold nothing
// that should be gone.
func TestAnExportOfALedgerThatClosesMeanwhile(t *testing.T) {
	a := newBusyArchive(t, "/v1/vault/")
	dir := filepath.Join(t.TempDir(), "copy")
	a.must("auditor", "export", "--vault", dir)
	if !a.happened {
		t.Fatal("nothing has happened")
	}
	stdout := a.must("", "audit", dir)
	if !strings.Contains(stdout, "4 records that expired, parts of 4 that were erased") {
		t.Errorf("got\n%s", stdout)
	}
	more := a.record("logins", `{"who":"bob"}`)
	a.must("auditor", "export", dir)
	a.must("", "audit", dir)

	a.later(34)
	a.gone(more)
	a.record("calls", `{"after":2}`)
	a.must("auditor", "export", dir)
	stdout = a.must("", "audit", dir)
	if !strings.Contains(stdout, "5 records that expired") {
		t.Errorf("got\n%s", stdout)
	}
	if left, err := filepath.Glob(filepath.Join(dir, "vault", "*.p", "*")); err != nil || len(left) != 1 {
		t.Errorf("there are the files %q of a part of the vault, want one: %v", left, err)
	}
}

// An export before something was closed opens, by the ledger itself, what is
// open still.
func TestACopyWhosePayloadsAreOpened(t *testing.T) {
	a := newBusyArchive(t, "/v1/entries/")
	dir := filepath.Join(t.TempDir(), "copy")
	a.must("auditor", "export", dir)
	stdout := a.must("reader", "audit", dir, "--open", "all", "--url", a.env["CAIRN_URL"])
	if !a.happened || !strings.Contains(stdout, "8 were closed meanwhile for a published reason") {
		t.Errorf("got\n%s", stdout)
	}
	status, _, stderr := a.run("reader", "audit", dir, "--open", "1", "--url", dir)
	if status != command.Misuse || !strings.Contains(stderr, "a directory has no payloads") {
		t.Errorf("got status %d and %s", status, stderr)
	}
}
