package storage

import (
	"context"
	"iter"
)

// MaxObject bounds an object in bytes.
const MaxObject = 64 << 20

// Objects are named bytes that never change while they are there.
//
// The law: a Read returns the whole of what a Put was given, or an error. An
// object whose Put returned nil stays until it is removed, and one whose Remove
// returned nil stays away until it is put. A Put or a Remove in doubt left the
// whole object or none; until it is repeated, a crash may still undo it. Names
// form a tree: no object's name is a directory of another's, and a directory
// stays one when its objects are gone.
type Objects interface {
	// Put keeps data under name, durably when it returns nil. If the name is
	// taken it returns nil for equal bytes and ErrExists for others, also
	// where the name would be a directory of another object's or the reverse.
	// A name that CheckObjectName refuses, or more than MaxObject bytes, is
	// ErrInvalid.
	Put(ctx context.Context, name string, data []byte) error

	// Read returns the object's bytes, or ErrNotFound.
	Read(ctx context.Context, name string) ([]byte, error)

	// Remove takes the object away, durably when it returns nil. A name that
	// no object has is fine; one that CheckObjectName refuses is ErrInvalid.
	Remove(ctx context.Context, name string) error

	// List yields the names that begin with prefix (a string prefix, empty for
	// all) in byte order. It ends after the first error. Objects put or
	// removed while it runs may show or not.
	List(ctx context.Context, prefix string) iter.Seq2[string, error]
}
