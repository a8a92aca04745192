package cmd_test

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestScripts runs stories with the real programs, as processes, and a clock
// that jumps. Beside testscript's commands a script has
//
//	exits STATUS PROGRAM [ARG...]   runs a program that ends with the status
//	until PATTERN PROGRAM [ARG...]  repeats a program until its output matches
//	pass HOURS                      lets time pass, such as 744h
//	events MACHINE SECURITY         writes the Windows events of testdata/events, one a line
//	find NAME PATTERN EVENTS OUT    sets NAME to the indices of events that match, as append said
//
// the environment LEDGER and WITNESS, addresses that are free, and the
// condition [unshare]: a program can be run without a network.
func TestScripts(t *testing.T) {
	bin := clockedPrograms(t)
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		Setup: func(env *testscript.Env) error {
			env.Setenv("PATH", bin+string(filepath.ListSeparator)+env.Getenv("PATH"))
			env.Setenv("HOME", filepath.Join(env.WorkDir, "home"))
			env.Setenv("LEDGER", freeAddress(t))
			env.Setenv("WITNESS", freeAddress(t))
			env.Setenv("CLOCK", filepath.Join(env.WorkDir, "clock"))
			return os.WriteFile(env.Getenv("CLOCK"), []byte("0s"), 0o600)
		},
		Condition: func(name string) (bool, error) {
			if name != "unshare" {
				return false, fmt.Errorf("there is no condition %q", name)
			}
			return exec.Command("unshare", "-rn", "true").Run() == nil, nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits": cmdExits, "until": cmdUntil, "pass": cmdPass, "events": cmdEvents, "find": cmdFind,
		},
	})
}

func cmdExits(ts *testscript.TestScript, _ bool, args []string) {
	got, err := 0, ts.Exec(args[1], args[2:]...)
	var failed *exec.ExitError
	if errors.As(err, &failed) {
		got = failed.ExitCode()
	} else {
		ts.Check(err)
	}
	if fmt.Sprint(got) != args[0] {
		ts.Fatalf("%v exits with %d, want %s:\n%s", args[1:], got, args[0], ts.ReadFile("stderr"))
	}
}

// patience is how long a script waits for what must come.
const patience = time.Minute

func cmdUntil(ts *testscript.TestScript, _ bool, args []string) {
	pattern := regexp.MustCompile("(?m)" + args[0])
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		_ = ts.Exec(args[1], args[2:]...) // what it says tells
		if pattern.MatchString(ts.ReadFile("stdout")) {
			return
		}
	}
	ts.Fatalf("%v never says %q, but\n%s%s", args[1:], args[0], ts.ReadFile("stdout"), ts.ReadFile("stderr"))
}

func cmdPass(ts *testscript.TestScript, _ bool, args []string) {
	path := ts.Getenv("CLOCK")
	before, err := time.ParseDuration(ts.ReadFile(path))
	ts.Check(err)
	passed, err := time.ParseDuration(args[0])
	ts.Check(err)
	// At once, since others read it.
	ts.Check(os.WriteFile(path+".new", []byte((before + passed).String()), 0o600))
	ts.Check(os.Rename(path+".new", path))
}

// cmdEvents writes the events of the channel Security, and all others, or a
// sample around the attack. It sets MACHINE and SECURITY to how many there are.
func cmdEvents(ts *testscript.TestScript, _ bool, args []string) {
	machine, security, err := windowsEvents()
	ts.Check(err)
	if !everyEvent {
		machine, security = machine[:250], security[2300:2500]
	}
	for i, list := range [][][]byte{machine, security} {
		ts.Check(os.WriteFile(ts.MkAbs(args[i]), bytes.Join(list, nil), 0o600))
	}
	ts.Setenv("MACHINE", fmt.Sprint(len(machine)))
	ts.Setenv("SECURITY", fmt.Sprint(len(security)))
}

func windowsEvents() (machine, security [][]byte, err error) {
	z, err := zip.OpenReader("../testdata/events/windows-persistence.zip")
	if err != nil {
		return nil, nil, err
	}
	defer z.Close()
	f, err := z.File[0].Open()
	if err != nil {
		return nil, nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(f)
	ofSecurity := regexp.MustCompile(`"Channel": ?"[Ss]ecurity"`)
	for line := range bytes.Lines(data) {
		if ofSecurity.Match(line) {
			security = append(security, line)
		} else {
			machine = append(machine, line)
		}
	}
	return machine, security, err
}

func cmdFind(ts *testscript.TestScript, _ bool, args []string) {
	pattern := regexp.MustCompile(args[1])
	answers := strings.Split(ts.ReadFile(args[3]), "\n")
	var found []string
	for i, line := range strings.Split(strings.TrimSuffix(ts.ReadFile(args[2]), "\n"), "\n") {
		if pattern.MatchString(line) {
			index, _, _ := strings.Cut(answers[i], " ")
			found = append(found, index)
		}
	}
	ts.Setenv(args[0], strings.Join(found, " "))
}
