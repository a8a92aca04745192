package command

import (
	"testing"

	"golang.org/x/sys/unix"
)

func TestCoreDumpsAreRefused(t *testing.T) {
	if err := RefuseCoreDumps(); err != nil {
		t.Fatal(err)
	}
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_CORE, &limit); err != nil || limit != (unix.Rlimit{}) {
		t.Errorf("got the limit %+v, %v, want 0", limit, err)
	}
	if dumpable, err := unix.PrctlRetInt(unix.PR_GET_DUMPABLE, 0, 0, 0, 0); err != nil || dumpable != 0 {
		t.Errorf("got %d, %v, want a process that is not dumped", dumpable, err)
	}
}
