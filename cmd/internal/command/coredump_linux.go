package command

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// RefuseCoreDumps sees to it that no crash writes this process's memory, and
// so its keys, to a disk, and that other processes of the same user cannot
// read it. A program that holds keys calls it before it reads one.
func RefuseCoreDumps() error {
	if err := unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{}); err != nil {
		return fmt.Errorf("refuse core dumps: limit: %w", err)
	}
	// The limit means nothing to a program that core dumps are piped into.
	if err := unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0); err != nil {
		return fmt.Errorf("refuse core dumps: %w", err)
	}
	return nil
}
