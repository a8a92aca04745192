package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strconv"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/cairnlog/cairn/witness/signing/agenttest"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"cairn-witness": main,
		"testlog": func() {
			os.Exit(testlog(context.Background(), os.Args[1:], os.Stdout, os.Stderr))
		},
		"testssh": func() { os.Exit(testssh(os.Args[1:])) },
	})
}

// The scripts run the real command, and testlog in the place of a log.
//
//	exits STATUS PROGRAM [ARG...]   runs a program that ends with the status
//	await ADDRESS                   waits until somebody listens there
//	until PATTERN PROGRAM [ARG...]  repeats a program until its output matches
//
// Each has an address of its own in ADDR, and the path of a socket in SOCKET.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata",
		Setup: func(env *testscript.Env) error {
			env.Setenv("ADDR", freeAddress(t))
			env.Setenv("OTHER", freeAddress(t))
			env.Setenv("CAIRN_PASSPHRASE", "")
			env.Setenv("GORACE", "atexit_sleep_ms=20") // else a program with the race detector takes a second to end
			socket, remove, err := agenttest.Socket()
			env.Setenv("SOCKET", socket)
			env.Defer(remove)
			return err
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"exits": exits, "await": await, "until": until,
		},
	})
}

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func exits(ts *testscript.TestScript, _ bool, args []string) {
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got, err := 0, ts.Exec(args[1], args[2:]...)
	var failed *exec.ExitError
	if errors.As(err, &failed) {
		got = failed.ExitCode()
	} else {
		ts.Check(err)
	}
	if got != want {
		ts.Fatalf("%v exits with %d, want %d:\n%s", args[1:], got, want, ts.ReadFile("stderr"))
	}
}

// patience is how long a script waits for something that must come.
const patience = time.Minute

func await(ts *testscript.TestScript, _ bool, args []string) {
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		if c, err := net.Dial("tcp", args[0]); err == nil {
			ts.Check(c.Close())
			return
		}
	}
	ts.Fatalf("nobody listens at %s", args[0])
}

func until(ts *testscript.TestScript, _ bool, args []string) {
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		_ = ts.Exec(args[1], args[2:]...)
		if matches(args[0], ts.ReadFile("stdout")+ts.ReadFile("stderr")) {
			return
		}
	}
	ts.Fatalf("%v never says %q, but\n%s", args[1:], args[0], fmt.Sprint(ts.ReadFile("stdout"), ts.ReadFile("stderr")))
}
