package ledger

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/cairnlog/cairn/proofs"
	"github.com/cairnlog/cairn/storage"
)

// errUnreadable means that the vault could not be read, though nothing says that
// it is damaged: a disk that is away, or a sector that cannot be read now. Nothing
// is in doubt, and it may go well the next time. So it is tried again, and never
// committed to as unread: that is for good.
var errUnreadable = errors.New("the vault cannot be read")

// unreadable says what kept the vault from being read: errUnreadable, unless it is
// damage, or reads nothing any more.
func unreadable(err error) error {
	for _, is := range []error{storage.ErrFailed, storage.ErrClosed, context.Canceled, context.DeadlineExceeded} {
		if errors.Is(err, is) {
			return fmt.Errorf("vault: %w", err)
		}
	}
	if isDamage(err) {
		return fmt.Errorf("vault: %w", err)
	}
	return fmt.Errorf("%w: %w", errUnreadable, err)
}

// waitToRead waits before a directory is tried again that needs what cannot be
// read. Entries are taken meanwhile, up to its place.
func (d *directories) waitToRead(ctx context.Context, id proofs.SegmentID, err error) {
	d.setTrouble(fmt.Sprintf("the directory of %s has to be made before entry %d: %v", id, proofs.DirectoryPlace(id.Number), err))
	d.l.log.Error("a directory cannot be made, and is tried again", slog.String("segment", id.String()), slog.String("error", err.Error()))
	select {
	case <-ctx.Done():
	case <-time.After(d.l.cfg.readRetry):
	}
}

func (d *directories) setTrouble(trouble string) {
	d.mu.Lock()
	d.trouble = trouble
	d.mu.Unlock()
}

// waiting returns why the next directory cannot be made; empty: it can, or is.
func (d *directories) waiting() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.trouble
}
