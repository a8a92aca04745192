package trillian

import (
	"errors"
	"fmt"

	"github.com/cairnlog/cairn/storage/trillian/embedded"
)

// Errors of embedded trees, see package embedded.
var (
	ErrFailed  = embedded.ErrFailed
	ErrClosed  = embedded.ErrClosed
	ErrNoSpace = embedded.ErrNoSpace
)

// ErrNotFound means that there is no tree, and Create was not asked for.
var ErrNotFound = errors.New("no tree")

// ErrExists means that Create was asked for, and the tree has leaves.
var ErrExists = errors.New("tree exists and holds leaves")

// ErrForeignLeaf means that an index holds another leaf than the one given:
// somebody else writes to the tree. It comes as a *ForeignLeafError.
var ErrForeignLeaf = errors.New("foreign leaf")

// ErrDiverged means that a remote tree's root is not that of its leaves.
var ErrDiverged = errors.New("root is not that of the leaves")

// ErrRange means that a leaf, node or tile was asked for that is not in the
// tree, or that a leaf is empty: the caller used the tree wrongly.
var ErrRange = errors.New("out of range")

// ForeignLeafError says where a foreign leaf was met.
type ForeignLeafError struct {
	Index uint64
}

func (e *ForeignLeafError) Error() string {
	return fmt.Sprintf("%v at index %d", ErrForeignLeaf, e.Index)
}

// Is makes it an ErrForeignLeaf.
func (e *ForeignLeafError) Is(target error) bool { return target == ErrForeignLeaf }

// SizeError means that the tree is larger than it was to become: somebody
// else writes to it.
type SizeError struct {
	Want, Got uint64
}

func (e *SizeError) Error() string {
	return fmt.Sprintf("tree has size %d, which is beyond %d", e.Got, e.Want)
}
