package cmd_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestTheNextStepsOfDevWork pastes what "cairnd dev" prints into a shell that
// is in another directory.
func TestTheNextStepsOfDevWork(t *testing.T) {
	t.Setenv("PATH", programs(t)+string(filepath.ListSeparator)+os.Getenv("PATH"))
	t.Chdir(t.TempDir())
	address := freeAddress(t)
	dev := &server{t: t, args: []string{"cairnd", "dev", "--dir", "a ledger", "--listen", address}, url: "http://" + address}
	dev.start()
	t.Cleanup(func() { dev.stop() })
	steps := regexp.MustCompile(`(?m)^  (export|cairn) .*$`).FindAllString(dev.talk.String(), -1)
	if len(steps) != 5 {
		t.Fatalf("got the steps %q, want two exports and three commands:\n%s", steps, dev.talk.String())
	}
	shell := exec.Command("sh", "-e")
	shell.Dir = t.TempDir()
	shell.Env = append(os.Environ(), "XDG_STATE_HOME="+filepath.Join(shell.Dir, "state"))
	shell.Stdin = strings.NewReader(strings.Join(steps, "\n"))
	out, err := shell.CombinedOutput()
	if err != nil || !bytes.Contains(out, []byte("receipt verifies")) || !bytes.Contains(out, []byte("entries judged")) {
		t.Errorf("got error %v and\n%s", err, out)
	}
}
