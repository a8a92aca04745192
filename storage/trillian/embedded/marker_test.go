package embedded_test

import (
	"path"
	"strings"
	"sync"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"github.com/cairnlog/cairn/storage/trillian/embedded"
)

// TestNamesAreDurableBeforeWhatRestsOnThem watches the directory of a store:
// a power cut keeps any of the changes of names since it was last synced.
func TestNamesAreDurableBeforeWhatRestsOnThem(t *testing.T) {
	var mu sync.Mutex
	fresh, removed := map[string]bool{}, 0 // names made since the last sync
	watch := errorfs.InjectorFunc(func(op errorfs.Op) error {
		mu.Lock()
		defer mu.Unlock()
		name := path.Base(op.Path)
		switch {
		case op.Kind == errorfs.OpFileSync && op.Path == "store":
			clear(fresh)
		case op.Kind == errorfs.OpCreate:
			if _, manifest, ok := strings.Cut(name, ".MANIFEST-"); ok && fresh["MANIFEST-"+manifest] {
				t.Errorf("%s is made before the name of the file that it names is durable", name)
			}
			fresh[name] = true
		case op.Kind == errorfs.OpRemove && strings.HasPrefix(name, "marker."):
			removed++
			for other := range fresh {
				if strings.HasPrefix(other, "marker.") {
					t.Errorf("%s is removed before the name of %s is durable", name, other)
				}
			}
		}
		return nil
	})
	fs := errorfs.Wrap(vfs.NewMem(), watch)
	for range 3 {
		s, err := embedded.Open(embedded.Options{Dir: "store", FS: fs, Create: true})
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if removed < 3 {
		t.Errorf("only %d markers were removed", removed)
	}
}
