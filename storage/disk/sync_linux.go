package disk

import (
	"errors"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
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

// beginSync is sync_file_range(2): it lets the disk begin with bytes that a Sync
// will wait for. What goes wrong the Sync reports.
func beginSync(f File, offset, size int64) {
	if f, ok := f.(osFile); ok {
		if conn, err := f.SyscallConn(); err == nil {
			_ = conn.Control(func(fd uintptr) {
				_ = unix.SyncFileRange(int(fd), offset, size, unix.SYNC_FILE_RANGE_WRITE)
			})
		}
	}
}

func syncDirectory(d *os.File) error { return d.Sync() }
