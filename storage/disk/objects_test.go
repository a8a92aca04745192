package disk_test

import (
	"strings"
	"testing"

	"github.com/cairnlog/cairn/storage/disk"
	"github.com/cairnlog/cairn/storage/disk/memfs"
)

// TestReadIsOfOneObject replaces an object by one of another size between the
// moment at which a Read has found it and the one at which it opens it.
func TestReadIsOfOneObject(t *testing.T) {
	for _, other := range []string{"other", "", strings.Repeat("another ", 1000)} {
		h := &hookFS{FS: memfs.New(nil)}
		d, err := disk.Open("simulated", disk.Options{Create: true, FS: h})
		must(t, err)
		o, err := d.Objects("objects")
		must(t, err)
		must(t, o.Put(t.Context(), "a", []byte("one")))
		h.allow = func(op, name string) bool {
			if op == "open" {
				h.allow = nil
				must(t, o.Remove(t.Context(), "a"))
				must(t, o.Put(t.Context(), "a", []byte(other)))
			}
			return true
		}
		got, err := o.Read(t.Context(), "a")
		if err != nil || string(got) != other {
			t.Errorf("Read = %.20q, %v, want %.20q", got, err, other)
		}
		must(t, d.Close())
	}
}
