package cmd_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestTheReadmesLedgerThatStaysDoes runs the README's commands as they stand
// there, but at ports that are free.
func TestTheReadmesLedgerThatStaysDoes(t *testing.T) {
	text, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	block := regexp.MustCompile("(?s)\nFor a ledger that stays.*?```sh\n(.*?)```.*\n### What becomes of payloads\n.*?```sh\n(.*?)```.*\n### Finding, [^\n]*\n.*?```sh\n(.*?)```").FindSubmatch(text)
	if block == nil {
		t.Fatal("the README has no such commands")
	}
	commands := string(block[1]) + string(block[2]) + string(block[3])
	script := strings.NewReplacer("127.0.0.1:7380", freeAddress(t), "127.0.0.1:8480", freeAddress(t)).Replace(commands)
	dir := t.TempDir()
	out, err := os.Create(filepath.Join(dir, "out")) // a pipe would stay open as long as the servers live
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	c := exec.Command("sh", "-ec", script)
	c.Dir, c.Stdout, c.Stderr = dir, out, out
	c.Env = append(os.Environ(), "PATH="+programs(t)+string(filepath.ListSeparator)+os.Getenv("PATH"), "XDG_STATE_HOME="+filepath.Join(dir, "state"))
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	tooLong := time.AfterFunc(time.Minute, func() { endGroup(c) })
	err = c.Wait()
	tooLong.Stop()
	endGroup(c) // and with it the servers
	said, _ := os.ReadFile(out.Name())
	for _, want := range []string{
		`^\d+  witnessed$`, `^cairnd: hold \d+ keeps 1 entry: \d+$`, `^cairnd: done: what entry \d+ announced is destroyed$`,
		`^Erased: parts of 1 `, ` erase +stream logins +done +ticket 42$`,
		`^  found +1 event\n  query +stream:logins actor:bob\n  complete +up to entry \d+, the last one of the checkpoint\n  rests on +the log alone: `,
		`^  found +no events\n  query +stream:logins actor:mallory\n`, `^bob.search-proof: search proof verifies$`,
	} {
		if err != nil || !regexp.MustCompile("(?m)"+want).Match(said) {
			t.Errorf("got error %v and\n%s\nwant %q in it, from\n%s", err, said, want, script)
		}
	}
}

// endGroup ends a script and what it left running.
func endGroup(c *exec.Cmd) { _ = syscall.Kill(-c.Process.Pid, syscall.SIGKILL) }
