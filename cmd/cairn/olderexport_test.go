package main

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cairnlog/cairn/cmd/internal/command"
)

// forgeries makes directories with histories of the log that signs any.
type forgeries struct {
	*session
	dir string
}

func newForgeries(t *testing.T) forgeries {
	t.Helper()
	dir := t.TempDir()
	return forgeries{&session{t: t, env: map[string]string{"CAIRN_POLICY": filepath.Join(dir, "policy"), "HOME": dir}}, dir}
}

// forge writes a directory with a history and returns its path.
func (f forgeries) forge(name string, size int, history string) string {
	f.t.Helper()
	dir := filepath.Join(f.dir, name)
	if err := forge(dir, size, history, f.env["CAIRN_POLICY"]); err != nil {
		f.t.Fatal(err)
	}
	return dir
}

// evidence returns the files of evidence that were saved.
func (f forgeries) evidence() []string {
	f.t.Helper()
	list, err := filepath.Glob(filepath.Join(f.dir, ".local/state/cairn/*.json"))
	if err != nil {
		f.t.Fatal(err)
	}
	return list
}

// An export does not claim to be the latest, so an older one is no rollback.
func TestAnOlderExportIsNoRollback(t *testing.T) {
	f := newForgeries(t)
	older, larger := f.forge("older", 10, "true"), f.forge("larger", 14, "true")
	f.must("", "log", "--url", larger)
	receipt := filepath.Join(f.dir, "receipt")
	for _, args := range []string{
		"log", "log --json", "prove inclusion 5", "prove receipt 5 -o " + receipt, "prove consistency 3",
		"prove consistency " + filepath.Join(older, "checkpoint"), "export " + filepath.Join(f.dir, "copy"),
	} {
		status, stdout, stderr := f.run("", append(strings.Fields(args), "--url", older)...)
		if status != command.Yes || !strings.Contains(stderr, "cairn: this export is of size 10, a larger one (14) was seen") || strings.Contains(stderr, "rollback") {
			t.Errorf("cairn %s: got status %d and\n%s%s\nwant a remark and nothing more", args, status, stdout, stderr)
		}
	}
	f.must("", "verify", receipt)
	if list := f.evidence(); len(list) > 0 {
		t.Errorf("got the evidence %v, want none", list)
	}
	// What was seen stays what is remembered.
	if status, _, stderr := f.run("", "log", "--url", larger); status != command.Yes || stderr != "" {
		t.Errorf("of the larger one: got status %d and %q", status, stderr)
	}
	status, _, stderr := f.run("", "prove", "inclusion", "12", "--url", older)
	if status != command.Unknown || !strings.Contains(stderr, "entry 12: no published checkpoint covers it yet") {
		t.Errorf("of an entry that it does not have: got status %d and %q", status, stderr)
	}
}

func TestAnOlderExportIsComparedWhereItsFilesTell(t *testing.T) {
	f := newForgeries(t)
	older, larger := f.forge("older", 10, "true"), f.forge("larger", 14, "true")
	f.must("", "log", "--url", larger)
	status, _, stderr := f.run("", "log", "--url", older)
	if status != command.Yes || !strings.Contains(stderr, "whether that begins with this one cannot be told from what is here") ||
		!strings.Contains(stderr, "hint: the ledger tells, or a later export: cairn prove consistency "+filepath.Join(older, "checkpoint")) {
		t.Errorf("its own files alone: got status %d and %q", status, stderr)
	}

	// A cut export that goes on from an older one has files of the larger tree.
	for _, path := range []string{"tile/0/000.p/14", "tile/entries/000.p/14"} {
		copyFile(t, filepath.Join(larger, path), filepath.Join(older, path))
	}
	status, _, stderr = f.run("", "log", "--url", older)
	if status != command.Yes || stderr != "cairn: this export is of size 10, a larger one (14) was seen, which begins with it\n" {
		t.Errorf("with the larger tree's files: got status %d and %q", status, stderr)
	}
	forged := f.forge("forged", 10, "false@5")
	for _, path := range []string{"tile/0/000.p/14", "tile/entries/000.p/14"} {
		copyFile(t, filepath.Join(larger, path), filepath.Join(forged, path))
	}
	status, _, stderr = f.run("", "log", "--url", forged)
	if status != command.No || !strings.Contains(stderr, "fork: example.com/forged signed two histories, one with 14 entries") || len(f.evidence()) != 1 {
		t.Errorf("of another history: got status %d, evidence %v and %q", status, f.evidence(), stderr)
	}
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	b, err := os.ReadFile(from)
	if err == nil {
		err = command.WriteFile(to, b, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func TestAnOlderExportIsRefusedByItsAge(t *testing.T) {
	f := newForgeries(t)
	older, larger := f.forge("older", 10, "true"), f.forge("larger", 14, "true")
	f.must("", "log", "--url", larger)
	status, _, stderr := f.run("", "log", "--url", older, "--max-age", "1h")
	if status != command.No || !strings.Contains(stderr, "nobody attests the age") {
		t.Errorf("got status %d and %q, want that its age is not known", status, stderr)
	}
}

// A server shows what it has now: less than before is a rollback.
func TestAServerThatShowsLessIsAFinding(t *testing.T) {
	f := newForgeries(t)
	served := f.forge("served", 14, "true")
	server := httptest.NewServer(http.FileServer(http.Dir(served)))
	defer server.Close()
	f.must("", "log", "--url", server.URL)
	f.forge("served", 10, "true")
	for _, args := range []string{"log", "prove inclusion 5"} {
		status, _, stderr := f.run("", append(strings.Fields(args), "--url", server.URL)...)
		if status != command.No || !strings.Contains(stderr, "does not verify: rollback: example.com/forged had 14 entries before, and now shows 10 as its latest") ||
			!strings.Contains(stderr, "the evidence is in ") {
			t.Errorf("cairn %s: got status %d and %q, want a rollback and its evidence", args, status, stderr)
		}
	}
	for _, path := range f.evidence() {
		if stdout := f.must("", "verify", path); !strings.Contains(stdout, "rollback: example.com/forged had 14 entries before") {
			t.Errorf("%s: got %q, want that it shows a rollback", path, stdout)
		}
	}
}

// An export goes into a directory that has more only if nothing contradicts.
func TestAnOlderExportAddsNothingToALargerOne(t *testing.T) {
	f := newForgeries(t)
	older, larger := f.forge("older", 10, "true"), f.forge("larger", 14, "true")
	copied := filepath.Join(f.dir, "copy")
	f.must("", "export", "--url", larger, copied)
	status, _, stderr := f.run("", "export", "--url", older, copied)
	if status != command.Misuse || !strings.Contains(stderr, "has 14 entries already, and the export in "+older+" has 10 of them: there is nothing to add") {
		t.Errorf("an older one: got status %d and %q", status, stderr)
	}
	forged := f.forge("forged", 10, "false@5")
	status, _, stderr = f.run("", "export", "--url", forged, "--state", filepath.Join(f.dir, "fresh"), copied)
	if status != command.No || !strings.Contains(stderr, "fork: example.com/forged signed two histories") {
		t.Errorf("one of another history: got status %d and %q", status, stderr)
	}
	f.must("", "audit", copied)
}

// With a state an audit goes on from it, and a directory that has less cannot;
// but that accuses nobody.
func TestAnAuditOfAnOlderExportAccusesNobody(t *testing.T) {
	f := newForgeries(t)
	older, larger := f.forge("older", 10, "true"), f.forge("larger", 14, "true")
	state := filepath.Join(f.dir, "audit.state")
	f.must("", "audit", "--state", state, larger)
	status, stdout, stderr := f.run("", "audit", "--state", state, older)
	if status != command.No || !strings.Contains(stdout, "checkpoint-rollback ") || strings.Contains(stderr, "evidence") ||
		!strings.Contains(stderr, "hint: an export does not claim to be the latest: judge an older one without --state") {
		t.Errorf("got status %d and\n%s%s\nwant a finding, no evidence, and what to do", status, stdout, stderr)
	}
	f.must("", "audit", older)
}
