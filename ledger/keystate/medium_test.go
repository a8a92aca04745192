package keystate_test

import (
	"errors"
	"io/fs"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/cairnlog/cairn/ledger/keystate"
)

func TestMediumSaysWhatErasingIsWorth(t *testing.T) {
	for _, c := range []struct {
		medium  keystate.Medium
		want    string
		vouched bool
	}{
		{keystate.Medium{FileSystem: "ext4", Erasing: keystate.InPlace}, "ext4: old cells are overwritten in place; flash keeps them until it needs the room", true},
		{keystate.Medium{FileSystem: "tmpfs", Erasing: keystate.InMemory}, "tmpfs: old cells are gone, and everything when the machine stops", true},
		{keystate.Medium{FileSystem: "btrfs", Erasing: keystate.CopyOnWrite}, "btrfs: old cells stay on the disk until their room is needed, and in every snapshot", false},
		{keystate.Medium{FileSystem: "nfs", Erasing: keystate.Remote}, "nfs: what becomes of old cells is up to the server", false},
		{keystate.Medium{Erasing: keystate.Unknown}, "file system not known: it is not known what becomes of old cells", false},
	} {
		if got := c.medium.String(); got != c.want || c.medium.Vouched() != c.vouched {
			t.Errorf("got %q, vouched %v, want %q, %v", got, c.medium.Vouched(), c.want, c.vouched)
		}
	}
}

func TestMediumOfADirectory(t *testing.T) {
	dir := t.TempDir()
	m, err := keystate.MediumOf(dir)
	if err != nil || m.Erasing == "" || runtime.GOOS == "linux" && m.Device == 0 {
		t.Errorf("got %+v, %v", m, err)
	}
	if again, err := keystate.MediumOf(filepath.Dir(dir)); err != nil || again != m {
		t.Errorf("of the directory above: got %+v, %v, want %+v", again, err, m)
	}
	if _, err := keystate.MediumOf(filepath.Join(dir, "none")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("of none: got %v, want that it does not exist", err)
	}
	if runtime.GOOS == "linux" {
		if m, err := keystate.MediumOf("/proc"); err != nil || m.Erasing != keystate.Unknown {
			t.Errorf("of /proc: got %+v, %v, want that it is not known", m, err)
		}
	}
}
