package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cairnlog/cairn/cmd/internal/command"
)

func TestWhatIsErasedIsShownFirst(t *testing.T) {
	a := newArchive(t)
	const erase = "erase --stream people --reason 'ticket 42' --subject "
	a.wants(a.run("", command.Yes, erase+"alice --dry-run"), `(?m)^concerned +2 entries: \d+-?,? ?\d+$`, "nothing was erased")
	a.wants(a.run("", command.Yes, erase+"alice --dry-run --json"), `"entries": 2`)
	a.wants(a.run("", command.Misuse, erase+"alice"), "nobody can be asked here", "hint: give --yes")
	a.wants(a.run("", command.No, erase+"nobody --yes"), "nothing that stream people has concerns that subject", "spelt")
	a.wants(a.run("", command.No, strings.Replace(erase, "people", "nowhere", 1)+"alice"), "no such stream")
	a.wants(a.run("", command.Misuse, "erase --stream people --subject alice"), "--reason")
	a.wants(a.run("", command.Misuse, "erase --subject alice --reason r"), "--stream")
	a.wants(a.run("", command.Misuse, "erase --stream people --reason r"), "--subject")
	a.wants(a.run("", command.Misuse, "erase --stream people --reason r --subject-file -"), "--yes")
	a.gone(false, false, false)

	held := a.index(a.run("", command.Yes, fmt.Sprintf("hold add --entries %d --reason 'case 7'", a.indices[1])), `hold (\d+) keeps 1 entry: \d+`)
	a.wants(a.run("", command.Yes, "hold list"), held+` +1 entry: \d+ +local operator +case 7`)
	a.wants(a.run("", command.Yes, "hold list --json"), `"hold": `+held)
	a.wants(a.run("", command.Yes, "status"), `(?m)^holds +1, see: cairnd hold list$`, `(?m)^custody +one custodian$`)

	said := a.run("alice\n", command.Yes, "erase --stream people --subject-file - --reason 'ticket 42' --yes --wait")
	a.wants(said, `(?m)^held +1 entry of them by hold `+held+`, until that is over$`, "done: what entry \\d+ announced is destroyed")
	if strings.Contains(said, "alice") {
		t.Errorf("the subject is named: %s", said)
	}
	a.gone(true, false, false)
	a.wants(a.run("", command.Misuse, "hold release "+held), "--reason")
	a.wants(a.run("", command.No, "hold release 1 --reason r --yes"), "there is no hold 1")
	a.wants(a.run("", command.Yes, "hold release "+held+" --reason settled --yes --wait --json"), `"done": true`)
	a.gone(true, true, false)
	a.wants(a.run("", command.Yes, "hold list --json"), `^\[\]\n$`)
}

// At a terminal somebody is asked, and only yes is yes.
func TestWhoSitsAtATerminalIsAsked(t *testing.T) {
	a := newArchive(t)
	for _, answer := range []string{"\n", "n\n", "", "yes\n"} {
		var out, talk bytes.Buffer
		p, want := newProgram(strings.NewReader(answer), &out, &talk), command.No
		p.terminal = func(any) bool { return true }
		if answer == "yes\n" {
			want = command.Yes
		}
		if status := p.run(t.Context(), words("erase --stream people --subject bob --reason r --wait --dir "+a.dir)); status != want {
			t.Errorf("to %q: got exit status %d and %s, want %d", answer, status, &talk, want)
		}
		a.wants(talk.String(), `^erase for good what concerns the subject in 1 entry of stream people\? \[y/N\] `)
		if want == command.No {
			a.gone(false, false, false)
		}
	}
	a.gone(false, false, true)
}

func TestNothingIsErasedWhereTheKeysHaveOnePlace(t *testing.T) {
	dir := serveNew(t)
	for _, args := range []string{"stream add people --subject actor=actor", "custody"} {
		if status, _, talk := cairnd(t, append(words(args), "--dir", dir)...); status != command.Yes {
			t.Fatal(talk)
		}
	}
	status, _, talk := cairnd(t, append(words("retention run"), "--dir", dir)...)
	if status != command.No || !strings.Contains(talk, "the key state has one place only") || !strings.Contains(talk, "hint: make an empty directory on another disk") {
		t.Errorf("got exit status %d and %q, want what it needs", status, talk)
	}
}

func TestASubjectIsReadFromAFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "subject")
	p := &program{reason: "r"}
	for text, want := range map[string]string{"alice\n": "alice", "alice b\r\n": "alice b", " alice": " alice"} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if e, err := p.erasure(eraseFlags{stream: "people", subject: subject{file: path}}); err != nil || e.Subject != want {
			t.Errorf("%q: got %q, %v, want %q", text, e.Subject, err, want)
		}
	}
	if _, err := p.erasure(eraseFlags{stream: "people", subject: subject{file: path + "x"}}); err == nil || command.IsUsage(err) {
		t.Errorf("a file that is not there: got %v", err)
	}
}
