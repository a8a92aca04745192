package peers

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/cairnlog/cairn/proofs"
)

const (
	fsckTool = "github.com/transparency-dev/tessera/cmd/fsck"

	// fsckSuccess is what fsck says of a good log. Its exit status says
	// nothing: in v1.0.4 it is 0 for a corrupt log too.
	fsckSuccess = "Successfully fsck'd log"

	// fsckWorkers is more than the number of tiles of the ledger that is
	// judged. With fewer, fsck waits for ever when its last worker has found a
	// bad tile and ended.
	fsckWorkers = "16"
)

// TestTesseraFsck has the fsck command of Tessera, which derives every tile
// and the root again from the entries, judge the whole ledger by HTTP.
func TestTesseraFsck(t *testing.T) {
	l := newLedger(t, 600)
	_, c := l.checkpoint(t)
	fsck := buildFsck(t)
	if said := runFsck(t, fsck, l); !strings.Contains(said, fsckSuccess) {
		t.Fatalf("Tessera's fsck finds fault with our ledger of %d entries:\n%s", c.Size, said)
	}
	last, ok := proofs.TileIn(c.Size, 0, 2)
	if !ok || last.Width == proofs.TileWidth {
		t.Fatalf("a ledger of %d entries has no partial third tile", c.Size)
	}
	top, _ := proofs.TileIn(c.Size, 1, 0)
	bundle, _ := proofs.BundleIn(c.Size, 1)
	for _, path := range []string{"tile/0/001", last.Path(), top.Path(), bundle.Path(), "checkpoint"} {
		l.damage(path)
		if said := runFsck(t, fsck, l); strings.Contains(said, fsckSuccess) {
			t.Errorf("Tessera's fsck finds no fault with a flipped bit in %s:\n%s", path, said)
		} else if !strings.Contains(said, "fsck failed") {
			t.Errorf("Tessera's fsck does not say that a flipped bit in %s is wrong:\n%s", path, said)
		}
	}
}

// buildFsck builds the fsck command of Tessera, unless the build cache has it,
// and returns its path.
func buildFsck(t *testing.T) string {
	t.Helper()
	path, err := exec.CommandContext(t.Context(), "go", "tool", "-n", fsckTool).CombinedOutput()
	if err != nil {
		t.Fatalf("go tool -n %s: %v\n%s", fsckTool, err, path)
	}
	return strings.TrimSpace(string(path))
}

// runFsck runs fsck on the ledger and returns what it says.
func runFsck(t *testing.T, fsck string, l *servedLedger) string {
	t.Helper()
	key := filepath.Join(t.TempDir(), "log.vkey")
	if err := os.WriteFile(key, []byte(l.key(t, proofs.Ed25519).String()), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	said, err := exec.CommandContext(ctx, fsck,
		"--ui=false", "--N="+fsckWorkers, "--storage_url="+l.URL, "--public_key="+key).CombinedOutput()
	if err != nil {
		t.Fatalf("fsck does not end by itself: %v\n%s", err, said)
	}
	return string(said)
}
