package disk

import (
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/cairnlog/cairn/storage"
)

// lockFile locks an open file for this process and writes the process's number
// into it. That is a hint for people and decides nothing: on a full disk there
// is none.
func lockFile(f *os.File) error {
	if err := tryLock(f); err != nil {
		return fmt.Errorf("%s%s: %w: %w", f.Name(), holder(f), storage.ErrLocked, err)
	}
	if f.Truncate(0) == nil {
		_, _ = f.WriteString(strconv.Itoa(os.Getpid()) + "\n")
	}
	return nil
}

// holder returns " (pid 123)" if the file names who holds it.
func holder(f *os.File) string {
	b := make([]byte, 20)
	n, _ := f.ReadAt(b, 0) // what cannot be read is no hint
	pid, err := strconv.ParseUint(strings.TrimSuffix(string(b[:n]), "\n"), 10, 32)
	if err != nil {
		return ""
	}
	return fmt.Sprintf(" (pid %d)", pid)
}
