package cmd_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// TestTheNextStepsOfDevWork pastes what "cairnd dev" prints into a shell that
// is in another directory, at the first start and at the second.
func TestTheNextStepsOfDevWork(t *testing.T) {
	t.Setenv("PATH", programs(t)+string(filepath.ListSeparator)+os.Getenv("PATH"))
	t.Setenv("XDG_STATE_HOME", filepath.Join(t.TempDir(), "state"))
	t.Chdir(t.TempDir())
	address := freeAddress(t)
	for _, start := range []string{"first", "second"} {
		dev := &server{t: t, args: []string{"cairnd", "dev", "--dir", "a ledger", "--listen", address}, url: "http://" + address}
		dev.start()
		t.Cleanup(func() { dev.stop() })
		var steps []string // it serves before it has printed them all
		for end := time.Now().Add(30 * time.Second); len(steps) != 8 && time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
			steps = regexp.MustCompile(`(?m)^  (export|cairn) .*\n`).FindAllString(dev.talk.String(), -1)
		}
		if len(steps) != 8 {
			t.Fatalf("%s start: got the steps %q, want three exports and five commands:\n%s", start, steps, dev.talk)
		}
		shell := exec.Command("sh", "-e")
		shell.Dir = t.TempDir()
		shell.Stdin = strings.NewReader(strings.Join(steps, ""))
		out, err := shell.CombinedOutput()
		if err != nil {
			t.Errorf("%s start: got error %v", start, err)
		}
		for _, want := range []string{"receipt verifies", "entries judged", `{"actor":"alice"`, "found       no events"} {
			if !bytes.Contains(out, []byte(want)) {
				t.Errorf("%s start: got no %q:\n%s", start, want, out)
			}
		}
		if status := dev.stop(); status != 0 {
			t.Errorf("%s start: got exit status %d, want 0: %s", start, status, dev.talk)
		}
	}
}
