package audit

import (
	"context"

	"github.com/cairnlog/cairn/proofs"
)

// A doubted bundle has entries of which something is gone, and the checkpoint
// that is judged by does not say why.
type doubted struct {
	bundle proofs.Bundle
	seen   seen
	path   string // of the file that lacks them
	doubts []doubt
}

// settle judges again, by the newest checkpoint, what is gone without a reason
// by the one before. What no entry explains then is wrong.
func (a *auditor) settle(ctx context.Context, list []doubted) error {
	for len(list) > 0 {
		h, err := a.readNewest(ctx)
		if err != nil {
			return err
		}
		judged, err := a.judgeDoubts(ctx, list, h)
		if err != nil {
			return err
		}
		if clean(judged) || !a.waits(ctx) {
			a.blame(judged)
			return ctx.Err()
		}
	}
	return nil
}

// waits waits for a newer checkpoint, if that makes sense.
func (a *auditor) waits(ctx context.Context) bool { return a.o.Wait != nil && a.o.Wait(ctx) }

// judgeDoubts judges what is in doubt by the history up to the newest
// checkpoint.
func (a *auditor) judgeDoubts(ctx context.Context, list []doubted, h *history) (judged []*vaultChunk, err error) {
	s, streams := sweep{next: h.concerns()}, h.streamKeepers()
	for _, d := range list {
		first := d.bundle.Index * proofs.TileWidth
		job := vaultJob{bundle: d.bundle, seen: d.seen, concerns: s.at(first, first+uint64(d.bundle.Width))}
		v := &vaultChunk{vaultJob: job, history: h, streams: streams, runs: map[oddKind]*odd{}, newest: true}
		if v.leaves, err = a.leavesAgain(ctx, v); err != nil {
			return nil, err
		}
		if v.leaves != nil {
			v.nameEntries()
			clear(v.runs) // what erasures name was judged before
			for _, x := range d.doubts {
				v.judgePresence(d.path, int(x.at), x.is)
			}
		}
		judged = append(judged, v)
	}
	return judged, nil
}

// clean reports whether nothing is wrong.
func clean(judged []*vaultChunk) bool {
	for _, v := range judged {
		if len(v.found)+len(v.gone)+len(v.runs) > 0 {
			return false
		}
	}
	return true
}

// blame reports what is wrong.
func (a *auditor) blame(judged []*vaultChunk) {
	gone, odd := goneList{found: &a.found}, oddities{}
	for _, v := range judged {
		a.found.add(v.found...)
		a.report.Summary.Retained.addVault(v.retained)
		gone.take(v.gone)
		odd.add(v.runs)
	}
	gone.end()
	a.found.add(odd.findings()...)
}
