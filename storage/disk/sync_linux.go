package disk

import (
	"errors"
	"os"
	"syscall"
)

// syncData is fdatasync(2): bytes and size, not the times.
func syncData(f *os.File) error {
	conn, err := f.SyscallConn()
	if err != nil {
		return err
	}
	controlErr := conn.Control(func(fd uintptr) {
		for err = syscall.EINTR; errors.Is(err, syscall.EINTR); {
			err = syscall.Fdatasync(int(fd))
		}
	})
	if err != nil {
		return &os.PathError{Op: "fdatasync", Path: f.Name(), Err: err}
	}
	return controlErr
}

func syncDirectory(d *os.File) error { return d.Sync() }
