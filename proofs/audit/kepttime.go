package audit

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"

	"github.com/cairnlog/cairn/proofs"
)

// keptTimes are the cosigned times of kept checkpoints of which many may be
// named again: those that were judged last.
type keptTimes struct {
	now, before map[proofs.CheckpointRef]uint64
}

// maxKeptTimes is how many are remembered twice over: 6 MiB at most.
const maxKeptTimes = 1 << 15

func (k *keptTimes) add(ref proofs.CheckpointRef, unixTime uint64) {
	if len(k.now) >= maxKeptTimes {
		k.now, k.before = nil, k.now
	}
	if k.now == nil {
		k.now = map[proofs.CheckpointRef]uint64{}
	}
	k.now[ref] = unixTime
}

func (k *keptTimes) find(ref proofs.CheckpointRef) (unixTime uint64, ok bool) {
	if unixTime, ok = k.now[ref]; !ok {
		unixTime, ok = k.before[ref]
	}
	return unixTime, ok
}

// cosigned returns the cosigned time of a kept checkpoint, in seconds since
// 1970; or why it shows none, as the end of a sentence. The time is 0 where no
// checkpoints are kept with the ledger at all.
func (a *auditor) cosigned(ctx context.Context, ref proofs.CheckpointRef) (unixTime uint64, why string, err error) {
	if unixTime, ok := a.times.find(ref); ok {
		return unixTime, "", nil
	}
	path := CheckpointPath(ref.Size)
	v, signed, _, err := a.readSigned(ctx, path)
	switch {
	case err != nil:
		return 0, "", err
	case v.LogKeys == nil && a.keepsNone():
		return 0, "", nil
	case v.LogKeys == nil:
		return 0, path + " holds none that can be believed", nil
	case sha256.Sum256(signed) != ref.Note:
		return 0, path + " holds another one", nil
	case v.Checkpoint.Size != ref.Size || v.Checkpoint.Origin != a.head.Origin:
		return 0, path + " holds that of another size or ledger", nil
	case !v.QuorumMet:
		return 0, fmt.Sprintf("too few witnesses have cosigned it: quorum %q is not met", a.policy.Quorum), nil
	case v.Time == 0:
		return 0, "no witness says when it was", nil
	}
	root, err := proofs.Root(ctx, ref.Size, a.reader)
	if err != nil && !wrong(err) {
		return 0, "", err
	}
	if err == nil && root != v.Checkpoint.Root {
		return 0, path + " holds that of another history", nil
	}
	a.times.add(ref, v.Time)
	return v.Time, "", nil // where hashes are damaged another finding says so
}

// keepsNone reports whether no checkpoints are kept with the ledger.
func (l *ledger) keepsNone() bool {
	if !l.listable {
		return false
	}
	_, err := fs.Stat(l.fsys, CheckpointsDir)
	return errors.Is(err, fs.ErrNotExist)
}
