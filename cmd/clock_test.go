package cmd_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
)

// clockedPrograms returns a directory of the real programs, but for their
// mains: those give them a clock that is ahead by what the file says that
// CLOCK names. No program that is shipped has such a switch.
func clockedPrograms(t *testing.T) string {
	t.Helper()
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	replace := map[string]string{filepath.Join(here, "internal", "clock", "clock.go"): filepath.Join(here, "testdata", "clock", "clock.go")}
	dir := t.TempDir()
	build := []string{"-overlay", filepath.Join(dir, "overlay.json"), "-o", filepath.Join(dir, "bin") + string(filepath.Separator)}
	for _, name := range []string{"cairn", "cairnd", "cairn-witness"} {
		replace[filepath.Join(here, name, "main.go")] = filepath.Join(here, "testdata", "clock", name, "main.go")
		build = append(build, "./"+name)
	}
	overlay, err := json.Marshal(map[string]any{"Replace": replace})
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, "overlay.json"), overlay, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	if err := compile(build...); err != nil {
		t.Fatal(err)
	}
	return filepath.Join(dir, "bin")
}
