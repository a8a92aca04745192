package cmd_test

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// TestCrashLeavesNoCore crashes the programs that hold keys, where the system
// would let them leave a core.
func TestCrashLeavesNoCore(t *testing.T) {
	bin := programs(t)
	ledger, witness := filepath.Join(t.TempDir(), "ledger"), filepath.Join(t.TempDir(), "witness")
	for _, args := range [][]string{
		{"cairnd", "init", "--dir", ledger, "--origin", "example.com/l"},
		{"cairn-witness", "init", "--dir", witness, "--name", "w.example"},
	} {
		if out, err := exec.Command(filepath.Join(bin, args[0]), args[1:]...).CombinedOutput(); err != nil {
			t.Fatalf("%s: %v: %s", args, err, out)
		}
	}
	for serves, args := range map[string]string{
		"serving": "cairnd serve --listen 127.0.0.1:0 --dir " + ledger,
		"listen":  "cairn-witness serve --listen 127.0.0.1:0 --dir " + witness,
	} {
		dir := t.TempDir()
		limit := crash(t, dir, serves, filepath.Join(bin, args))
		if cores, err := filepath.Glob(filepath.Join(dir, "*")); err != nil || len(cores) > 0 {
			t.Errorf("%s left %q (%v)", args, cores, err)
		}
		if !strings.Contains(limit, " 0 ") || strings.Contains(limit, "unlimited") {
			t.Errorf("%s: got %q, want the limit 0", args, limit)
		}
	}
	// The same crash of a program that holds no keys.
	dir := t.TempDir()
	crash(t, dir, "ready", "sh -c 'echo ready >&2; exec sleep 60'")
	cores, _ := filepath.Glob(filepath.Join(dir, "*"))
	t.Logf("of another program the system left %q", cores)
}

// crash runs a command in a directory, lets it crash once it says a word, and
// returns which limit its cores had.
func crash(t *testing.T, dir, word, command string) (limit string) {
	t.Helper()
	c := exec.Command("sh", "-c", "ulimit -c unlimited; exec "+command)
	c.Dir, c.Env = dir, append(os.Environ(), "GOTRACEBACK=crash")
	talk, err := c.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(talk)
	for lines.Scan() && !strings.Contains(lines.Text(), word) {
	}
	limits, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(c.Process.Pid), "limits"))
	if err != nil {
		t.Error(err)
	}
	for line := range strings.Lines(string(limits)) {
		if strings.HasPrefix(line, "Max core file size") {
			limit = strings.TrimSpace(line)
		}
	}
	if err := c.Process.Signal(syscall.SIGABRT); err != nil {
		t.Error(err)
	}
	for lines.Scan() {
	}
	err = c.Wait()
	status, ok := c.ProcessState.Sys().(syscall.WaitStatus)
	aborted := status.Signaled() && status.Signal() == syscall.SIGABRT
	// The runtime ends with 2 where a thread was in the way of its own signal.
	if err == nil || !ok || !aborted && status.ExitStatus() != 2 {
		t.Errorf("%s: got %v, want that it crashed", command, err)
	}
	if status.CoreDump() && word != "ready" {
		t.Errorf("%s: its core was dumped", command)
	}
	return limit
}
