//go:build unix

package disk

import (
	"os"
	"syscall"
)

// tryLock takes flock(2), which ends with the process or the file. It holds
// between processes of one machine; over NFS it depends on the server.
func tryLock(f *os.File) error {
	return syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
}
