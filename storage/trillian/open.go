package trillian

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/google/trillian"
	"github.com/google/trillian/storage"
	"google.golang.org/protobuf/types/known/anypb"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/cairnlog/cairn/storage/trillian/embedded"
)

// Options say which tree to open in a Trillian storage in this process.
type Options struct {
	// LogStorage and AdminStorage are two views of one database. They stay the
	// caller's, who closes them after the tree.
	LogStorage   storage.LogStorage
	AdminStorage storage.AdminStorage
	// TreeID names the tree. Zero stands for the only one of type
	// PREORDERED_LOG.
	TreeID int64
	// Create makes a tree where there is none; TreeID is then zero, as the
	// storage chooses it. A tree without leaves is taken as it is, so that
	// creation can be repeated, and one with leaves is ErrExists.
	Create bool
	// Logger gets what Trillian and the storage report; nil discards it.
	Logger *slog.Logger
	// Now is the clock; nil is time.Now. It may go back.
	Now func() time.Time
}

// EmbeddedOptions say which tree to open in a directory.
type EmbeddedOptions struct {
	// Dir is the directory. One process at a time can open it.
	Dir string
	// FS is the file system of Dir; nil is the operating system's.
	FS vfs.FS
	// TreeID, Create, Logger and Now are as in Options. Create also makes the
	// directory.
	TreeID int64
	Create bool
	Logger *slog.Logger
	Now    func() time.Time
	// MinFree and CacheBytes are as in embedded.Options.
	MinFree    uint64
	CacheBytes int64
}

// Open opens a tree in a Trillian storage. A missing tree is ErrNotFound.
func Open(ctx context.Context, o Options) (*Tree, error) {
	l, err := openLocal(ctx, o, nil)
	if err != nil {
		return nil, fmt.Errorf("open tree: %w", err)
	}
	return &Tree{engine: l}, nil
}

// OpenEmbedded opens a tree in a directory. A missing directory or tree is
// ErrNotFound.
func OpenEmbedded(ctx context.Context, o EmbeddedOptions) (*Tree, error) {
	l, err := openEmbedded(ctx, o)
	if err != nil {
		return nil, fmt.Errorf("open tree in %s: %w", o.Dir, err)
	}
	return &Tree{engine: l}, nil
}

func openEmbedded(ctx context.Context, o EmbeddedOptions) (*local, error) {
	store, err := embedded.Open(embedded.Options{
		Dir:        o.Dir,
		FS:         o.FS,
		Create:     o.Create,
		Deferred:   true,
		MinFree:    o.MinFree,
		CacheBytes: o.CacheBytes,
		Logger:     o.Logger,
		Now:        o.Now,
	})
	if errors.Is(err, embedded.ErrNotFound) {
		return nil, fmt.Errorf("%w: %w: a tree is only made when a ledger is created", ErrNotFound, err)
	}
	if err != nil {
		return nil, err
	}
	l, err := openLocal(ctx, Options{
		LogStorage:   store.LogStorage(),
		AdminStorage: store.AdminStorage(),
		TreeID:       o.TreeID,
		Create:       o.Create,
		Logger:       o.Logger,
		Now:          o.Now,
	}, embedded.WithoutHashIndex())
	if err != nil {
		return nil, errors.Join(err, store.Close())
	}
	l.store = store
	if o.Create {
		if err := store.Sync(ctx); err != nil {
			return nil, errors.Join(err, store.Close())
		}
	}
	return l, nil
}

// openLocal opens the tree, and creates it with these storage settings.
func openLocal(ctx context.Context, o Options, settings *anypb.Any) (*local, error) {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	Contain(o.Logger)
	tree, err := findTree(ctx, o.AdminStorage, o.TreeID)
	if o.Create && o.TreeID == 0 && errors.Is(err, ErrNotFound) {
		tree, err = storage.CreateTree(ctx, o.AdminStorage, &trillian.Tree{
			TreeState:       trillian.TreeState_ACTIVE,
			TreeType:        trillian.TreeType_PREORDERED_LOG,
			DisplayName:     "cairn",
			MaxRootDuration: durationpb.New(0),
			StorageSettings: settings,
		})
	}
	if err != nil {
		return nil, err
	}
	l := &local{logs: o.LogStorage, tree: tree, clock: &risingClock{now: o.Now}}
	l.quick, _ = o.LogStorage.(embedded.NodeStorage)
	head, err := l.start(ctx)
	if errors.Is(err, storage.ErrTreeNeedsInit) {
		if !o.Create {
			return nil, fmt.Errorf("%w: tree %d has no head, its creation was interrupted", ErrNotFound, tree.TreeId)
		}
		return l, l.initTree(ctx)
	}
	if err == nil && o.Create && head.Size > 0 {
		err = fmt.Errorf("%w: tree %d has %d", ErrExists, tree.TreeId, head.Size)
	}
	if err != nil {
		return nil, err
	}
	return l, nil
}

// findTree returns the tree of this ID, or the only pre-ordered log.
func findTree(ctx context.Context, admin storage.AdminStorage, id int64) (*trillian.Tree, error) {
	trees, err := storage.ListTrees(ctx, admin, false)
	if err != nil {
		return nil, err
	}
	var found []*trillian.Tree
	for _, tree := range trees {
		if tree.TreeType == trillian.TreeType_PREORDERED_LOG && (id == 0 || tree.TreeId == id) {
			found = append(found, tree)
		}
	}
	switch {
	case len(found) == 1:
		return found[0], nil
	case len(found) > 1:
		return nil, fmt.Errorf("%d pre-ordered logs, name one", len(found))
	case id != 0:
		return nil, fmt.Errorf("%w: no pre-ordered log %d", ErrNotFound, id)
	}
	return nil, fmt.Errorf("%w: a tree is only made when a ledger is created", ErrNotFound)
}
