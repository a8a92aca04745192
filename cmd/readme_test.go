package cmd_test

import (
	"archive/zip"
	"bufio"
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestTheReadmesLedgerThatStaysDoes runs the README's commands as they stand
// there, but at ports that are free, and with the first events of Windows alone.
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
	dir := t.TempDir()
	const unzip = "unzip -p testdata/events/windows-persistence.zip"
	if !strings.Contains(commands, unzip) {
		t.Fatalf("the README does not say %q", unzip)
	}
	events := filepath.Join(dir, "first.ndjson")
	writeFirstEvents(t, events, 1000)
	script := strings.NewReplacer("127.0.0.1:7380", freeAddress(t), "127.0.0.1:8480", freeAddress(t), unzip, "cat "+events).Replace(commands)
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
		`^\d+ +WORKSTATION5.theshire.local  HKU\\S-\S+-1104\\Software\\Microsoft\\Windows\\CurrentVersion\\Run\\Updater$`,
		`(?:^\d+   +2020-09-04T07:06:21\S+ +\d+ +WORKSTATION5.theshire.local(?:  pgustavo)?\n)+\d+ +2020-09-04T07:06:22.418Z  4103 +WORKSTATION5.theshire.local  pgustavo\n\d+ +2020-09-04T07:06:22.490Z  13 .*powershell.exe$`,
		`^\d+ events\n\nEVENTS  EVENTID\n\d+ +4103\n`,
		`^  found +\d+ events\n  query +stream:windows account:pgustavo after:\S+\n  complete +up to entry \d+, the last one of the checkpoint\n  rests on +the log alone: `,
		`^pgustavo.search-proof: search proof verifies$`, `^mallory.search-proof: search proof verifies\n  found +no events\n  query +stream:windows account:mallory `,
		`^case7.evidence: evidence verifies$`, `^Search 1:\n  found +(\d+) events, \d+ in this file, \d+ with the whole payload\n`,
		`^  - Search 2, account="mallory" in the stream windows, recorded at .* or later: among entries \d+ to \d+, when the ledger had \d+, no event fits; each entry was looked through`,
	} {
		if err != nil || !regexp.MustCompile("(?m)"+want).Match(said) {
			t.Errorf("got error %v and\n%s\nwant %q in it, from\n%s", err, said, want, script)
		}
	}
}

// writeFirstEvents writes the first events of the sample of Windows.
func writeFirstEvents(t *testing.T, path string, n int) {
	t.Helper()
	z, err := zip.OpenReader("../testdata/events/windows-persistence.zip")
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	at := slices.IndexFunc(z.File, func(f *zip.File) bool { return strings.HasSuffix(f.Name, ".json") })
	if at < 0 {
		t.Fatal("the sample has no events")
	}
	r, err := z.File[at].Open()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	var events bytes.Buffer
	lines := bufio.NewReader(r)
	for range n {
		line, err := lines.ReadBytes('\n')
		if err != nil {
			t.Fatal(err)
		}
		events.Write(line)
	}
	if err := os.WriteFile(path, events.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
}

// endGroup ends a script and what it left running.
func endGroup(c *exec.Cmd) { _ = syscall.Kill(-c.Process.Pid, syscall.SIGKILL) }
