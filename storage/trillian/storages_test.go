package trillian_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	google "github.com/google/trillian"
	"github.com/google/trillian/storage"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/cairnlog/cairn/storage/trillian"
	"github.com/cairnlog/cairn/storage/trillian/embedded"
)

// openStore opens a store in memory and closes it at the end of the test.
func openStore(t *testing.T) *embedded.Store {
	t.Helper()
	s, err := embedded.Open(embedded.Options{Dir: "store", FS: vfs.NewMem(), Create: true})
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

// otherStorage is a storage that answers AddSequencedLeaves in another way.
type otherStorage struct {
	storage.LogStorage
	answer func(add addFunc) ([]*google.QueuedLogLeaf, error)
}

type addFunc func() ([]*google.QueuedLogLeaf, error)

func (s *otherStorage) AddSequencedLeaves(ctx context.Context, tree *google.Tree, leaves []*google.LogLeaf, at time.Time) ([]*google.QueuedLogLeaf, error) {
	return s.answer(func() ([]*google.QueuedLogLeaf, error) {
		return s.LogStorage.AddSequencedLeaves(ctx, tree, leaves, at)
	})
}

// plain is the storage as it is.
func plain(add addFunc) ([]*google.QueuedLogLeaf, error) { return add() }

// likeMySQL says FailedPrecondition of a leaf that is stored, and does not
// return it, as Trillian's MySQL storage does.
func likeMySQL(add addFunc) ([]*google.QueuedLogLeaf, error) {
	results, err := add()
	for _, r := range results {
		if r.Status.GetCode() != int32(codes.OK) {
			r.Leaf, r.Status = nil, status.New(codes.FailedPrecondition, "conflicting LeafIndex").Proto()
		}
	}
	return results, err
}

// echo says AlreadyExists of every leaf that is stored, and returns the one
// that was given.
func echo(add addFunc) ([]*google.QueuedLogLeaf, error) {
	results, err := add()
	for _, r := range results {
		if r.Status.GetCode() != int32(codes.OK) {
			r.Leaf, r.Status = nil, status.New(codes.AlreadyExists, "exists").Proto()
		}
	}
	return results, err
}

// withoutStatus says OK by saying nothing.
func withoutStatus(add addFunc) ([]*google.QueuedLogLeaf, error) {
	results, err := add()
	for _, r := range results {
		if r.Status.GetCode() == int32(codes.OK) {
			r.Status = nil
		}
	}
	return results, err
}

// failing fails the first calls, before or after it did them.
func failing(calls int, code codes.Code) func(addFunc) ([]*google.QueuedLogLeaf, error) {
	return func(add addFunc) ([]*google.QueuedLogLeaf, error) {
		calls--
		if calls >= 0 && calls%2 == 0 {
			if _, err := add(); err != nil {
				return nil, err
			}
		}
		if calls >= 0 {
			return nil, status.Error(code, "no")
		}
		return add()
	}
}

// oneBusy says ResourceExhausted of the second leaf, the first time.
func oneBusy() func(addFunc) ([]*google.QueuedLogLeaf, error) {
	first := true
	return func(add addFunc) ([]*google.QueuedLogLeaf, error) {
		results, err := add()
		if first && len(results) > 1 {
			results[1].Status = status.New(codes.ResourceExhausted, "busy").Proto()
			first = false
		}
		return results, err
	}
}

func TestAppendOverAnyStorage(t *testing.T) {
	for name, answer := range map[string]func(addFunc) ([]*google.QueuedLogLeaf, error){
		"as it is":                    plain,
		"like MySQL":                  likeMySQL,
		"an echo":                     echo,
		"without status":              withoutStatus,
		"unavailable four times":      failing(4, codes.Unavailable),
		"aborted once, though it did": failing(1, codes.Aborted),
		"one leaf of a batch busy":    oneBusy(),
	} {
		synctest.Test(t, func(t *testing.T) {
			s := openStore(t)
			tree, err := trillian.Open(t.Context(), trillian.Options{
				LogStorage:   &otherStorage{s.LogStorage(), answer},
				AdminStorage: s.AdminStorage(),
				Create:       true,
			})
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			r := new(reference)
			extend(t, tree, r, 300)
			if err := tree.Append(t.Context(), 0, leaves(0, 300)); err != nil {
				t.Errorf("%s: the same leaves again: %v", name, err)
			}
			if err := tree.Append(t.Context(), 200, leaves(200, 200)); err != nil {
				t.Errorf("%s: old and new leaves: %v", name, err)
			}
			other := leaves(0, 10)
			other[7].Value = []byte("other")
			var foreign *trillian.ForeignLeafError
			if err := tree.Append(t.Context(), 0, other); !errors.As(err, &foreign) || foreign.Index != 7 {
				t.Errorf("%s: err = %v, want a foreign leaf at 7", name, err)
			}
			extend(t, tree, r, 400)
			check(t, tree, r, 400)
		})
	}
}

func TestAppendReturnsWhatDoesNotPass(t *testing.T) {
	few := func(add addFunc) ([]*google.QueuedLogLeaf, error) {
		results, err := add()
		return results[1:], err
	}
	missing := func(add addFunc) ([]*google.QueuedLogLeaf, error) {
		results, err := add()
		results[1] = nil
		return results, err
	}
	refused := func(add addFunc) ([]*google.QueuedLogLeaf, error) {
		results, err := add()
		for _, r := range results {
			r.Status = status.New(codes.FailedPrecondition, "no reason").Proto()
		}
		return results, err
	}
	for _, c := range []struct {
		name   string
		answer func(addFunc) ([]*google.QueuedLogLeaf, error)
		first  uint64
		text   string
	}{
		{"too few results", few, 0, "2 results for 3 leaves"},
		{"a result that is missing", missing, 0, "no result for leaf 1"},
		{"an error that stays", failing(100, codes.PermissionDenied), 0, "PermissionDenied"},
		{"no leaf where one was refused", func(addFunc) ([]*google.QueuedLogLeaf, error) {
			return refused(func() ([]*google.QueuedLogLeaf, error) {
				return []*google.QueuedLogLeaf{{}, {}, {}}, nil
			})
		}, 50, "no reason"},
	} {
		s := openStore(t)
		tree, err := trillian.Open(t.Context(), trillian.Options{
			LogStorage:   &otherStorage{s.LogStorage(), c.answer},
			AdminStorage: s.AdminStorage(),
			Create:       true,
		})
		if err != nil {
			t.Fatal(err)
		}
		err = tree.Append(t.Context(), c.first, leaves(c.first, 3))
		if err == nil || !strings.Contains(err.Error(), c.text) {
			t.Errorf("%s: err = %v, want %q", c.name, err, c.text)
		}
	}
}
