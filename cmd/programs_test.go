package cmd_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
)

// built is the directory of the real programs, which are built when the first
// test wants them.
var built struct {
	dir   string
	build func() error
}

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "cairn-programs-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	built.dir = dir
	built.build = sync.OnceValue(func() error {
		return compile("-o", dir+string(filepath.Separator), "./cairn", "./cairnd", "./cairn-witness")
	})
	status := m.Run()
	_ = os.RemoveAll(dir)
	os.Exit(status)
}

// compile builds programs as we ship them, without cgo.
func compile(args ...string) error {
	build := exec.Command("go", append([]string{"build"}, args...)...)
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("build: %w\n%s", err, out)
	}
	return nil
}

// programs returns the directory of the real programs.
func programs(t *testing.T) string {
	t.Helper()
	if err := built.build(); err != nil {
		t.Fatal(err)
	}
	return built.dir
}
