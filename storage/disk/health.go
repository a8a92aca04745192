package disk

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"

	"github.com/cairnlog/cairn/storage"
)

// A health remembers why a store takes no more calls. After a write or a sync
// that failed nobody knows what is on the disk: the kernel may have dropped
// the pages, read them back from memory as if all were well, and report the
// next sync as a success. Only an opening finds out, because it writes again
// what it is going to believe.
type health struct{ cause atomic.Pointer[error] }

// check returns why a call must not begin, or nil.
func (h *health) check(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	cause := h.cause.Load()
	switch {
	case cause == nil:
		return nil
	case errors.Is(*cause, storage.ErrClosed):
		return *cause
	}
	return fmt.Errorf("%w: %w", storage.ErrFailed, *cause)
}

// doubt closes the store because of err and returns it, unless err says that
// nothing has changed.
func (h *health) doubt(err error) error {
	if err != nil && !errors.Is(err, storage.ErrNoSpace) {
		h.cause.CompareAndSwap(nil, &err)
	}
	return err
}

// close closes the store in an orderly way and reports whether it was well.
func (h *health) close() bool {
	err := storage.ErrClosed
	return h.cause.CompareAndSwap(nil, &err)
}
