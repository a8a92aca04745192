package storage

import (
	"context"
	"iter"
)

// MaxObject bounds an object in bytes.
const MaxObject = 64 << 20

// Objects are named bytes that never change once they are there.
//
// The law: a Read returns the whole of what a Put was given, or an error. An
// object whose Put returned nil stays. A Put in doubt left the whole object or
// none; one that is there may still be lost in a crash until it is put again.
// Names form a tree: no object's name is a directory of another's.
type Objects interface {
	// Put keeps data under name, durably when it returns nil. If the name is
	// taken it returns nil for equal bytes and ErrExists for others, also
	// where the name would be a directory of another object's or the reverse.
	// A name that CheckObjectName refuses, or more than MaxObject bytes, is
	// ErrInvalid.
	Put(ctx context.Context, name string, data []byte) error

	// Read returns the object's bytes, or ErrNotFound.
	Read(ctx context.Context, name string) ([]byte, error)

	// List yields the names that begin with prefix (a string prefix, empty for
	// all) in byte order. It ends after the first error. Objects put while it
	// runs may show or not.
	List(ctx context.Context, prefix string) iter.Seq2[string, error]
}
