//go:build !linux

package disk

import (
	"os"
	"runtime"
)

func syncData(f *os.File) error { return f.Sync() }

// beginSync is a hint that other systems do without.
func beginSync(File, int64, int64) {}

// syncDirectory syncs a directory. Windows has no such call: there names are
// as durable as the file system's own journal makes them.
func syncDirectory(d *os.File) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	return d.Sync()
}
