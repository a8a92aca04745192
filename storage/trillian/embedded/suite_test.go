package embedded_test

import (
	"context"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/google/trillian/integration/storagetest"
	"github.com/google/trillian/storage"
	"github.com/google/trillian/storage/testonly"

	"github.com/cairnlog/cairn/storage/trillian/embedded"
)

// open opens a store in memory and closes it at the end of the test.
func open(t testing.TB, o embedded.Options) *embedded.Store {
	t.Helper()
	if o.FS == nil {
		o.FS, o.Create = vfs.NewMem(), true
	}
	if o.Dir == "" {
		o.Dir = "store"
	}
	s, err := embedded.Open(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func TestTrillianLogStorageSuite(t *testing.T) {
	for name, deferred := range map[string]bool{"synced": false, "deferred": true} {
		t.Run(name, func(t *testing.T) {
			storagetest.RunLogStorageTests(t, func(_ context.Context, t *testing.T) (storage.LogStorage, storage.AdminStorage) {
				s := open(t, embedded.Options{Deferred: deferred})
				return s.LogStorage(), s.AdminStorage()
			})
		})
	}
}

func TestTrillianAdminStorageSuite(t *testing.T) {
	tester := testonly.AdminStorageTester{NewAdminStorage: func() storage.AdminStorage {
		return open(t, embedded.Options{}).AdminStorage()
	}}
	tester.RunAllTests(t)
}
