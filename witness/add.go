package witness

import (
	"context"
	"errors"

	"github.com/cairnlog/cairn/proofs"
	"github.com/cairnlog/cairn/storage"
)

// AddCheckpoint implements [Cosigner]. It makes the checks of C2SP
// tlog-witness, add-checkpoint, in their order, and returns the cosignatures
// once it is durable that they were given.
func (w *Witness) AddCheckpoint(ctx context.Context, r Request) ([]byte, error) {
	start := w.now()
	cosignatures, err := w.addCheckpoint(ctx, r)
	w.metrics.answered(err, w.now().Sub(start))
	return cosignatures, err
}

func (w *Witness) addCheckpoint(ctx context.Context, r Request) ([]byte, error) {
	c, err := w.authenticate(r)
	if err != nil {
		return nil, err
	}
	hash := OriginHash(c.Origin)
	for {
		last, err := load(ctx, w.registers, hash)
		if err != nil {
			return nil, w.doubt(err)
		}
		if err := w.extends(r, c, last); err != nil {
			return nil, err
		}
		time := w.timestamp(c.Origin, last)
		if cosignatures := last.answer(c, w.keys, time); cosignatures != nil {
			return proofs.FormatSignatures(cosignatures), nil // durable already
		}
		cosignatures, err := w.cosign(c, time)
		if err != nil {
			return nil, err
		}
		next := newRecord(time, c, cosignatures)
		// The commit point: before this compare-and-swap is durable, no
		// cosignature leaves the process. Where it loses, another checkpoint
		// of the log came between, and everything is judged again.
		err = w.registers.Register(hash).Swap(ctx, last.bytes, next.bytes)
		if err == nil {
			return proofs.FormatSignatures(cosignatures), nil
		}
		if !errors.Is(err, storage.ErrConflict) {
			return nil, w.doubt(err)
		}
	}
}

// authenticate parses the checkpoint and keeps of its signatures those by the
// log's trusted keys.
func (w *Witness) authenticate(r Request) (proofs.SignedCheckpoint, error) {
	var none proofs.SignedCheckpoint
	if len(r.Proof) > MaxProof {
		return none, refuse(statusMalformed, "more than %d hashes in the proof", MaxProof)
	}
	if len(r.Checkpoint) > MaxRequest {
		return none, refuse(statusMalformed, "checkpoint of more than %d bytes", MaxRequest)
	}
	c, err := proofs.ParseSignedCheckpoint(r.Checkpoint)
	if err != nil {
		return none, refuse(statusMalformed, "%v", err)
	}
	trusted, ok := (*w.logs.Load())[c.Origin]
	if !ok {
		return none, refuse(statusUnknown, "unknown log %q", c.Origin)
	}
	if c.Note.Signatures, err = verify(c, trusted); err != nil {
		return none, err
	}
	if r.Old > c.Size {
		return none, refuse(statusMalformed, "old size %d is above the checkpoint's size %d", r.Old, c.Size)
	}
	return c, nil
}

// extends checks that the request starts from the checkpoint cosigned last,
// and that the new one extends it.
func (w *Witness) extends(r Request, c proofs.SignedCheckpoint, last record) error {
	if r.Old != last.signed.Size {
		e := refuse(statusConflict, "old size is %d, and the checkpoint cosigned last has size %d", r.Old, last.signed.Size)
		e.Size = last.signed.Size
		return e
	}
	if c.Size == 0 && c.Root != proofs.EmptyRoot() {
		return refuse(statusInconsistent, "not the root of the empty tree")
	}
	err := proofs.CheckConsistency(last.signed.Size, c.Size, last.signed.Root, c.Root, r.Proof)
	if err == nil {
		return nil
	}
	if c.Size == last.signed.Size && c.Root != last.signed.Root {
		w.metrics.forks.Inc()
		if w.first("fork of " + c.Origin) {
			// The log signed both: whoever reads this can prove it to anybody.
			w.log.Error("the log has signed two histories", "origin", c.Origin,
				"cosigned", string(last.note()), "refused", string(proofs.FormatSignedCheckpoint(c)))
		}
	}
	return refuse(statusInconsistent, "%v", err)
}

// first reports whether this is told for the first time: anybody may repeat a
// request without end.
func (w *Witness) first(what string) bool {
	_, told := w.told.LoadOrStore(what, true)
	return !told
}

// timestamp returns the time of the next cosignature, in seconds since 1970:
// never 0, and never before that of the last one, however the clock was set.
func (w *Witness) timestamp(origin string, last record) uint64 {
	now := uint64(max(w.now().Unix(), 1))
	if last.time > now+maxClockDifference && w.first("clock of "+origin) {
		w.log.Warn("the clock is behind the last cosignature", "origin", origin, "clock", now, "cosigned", last.time)
	}
	return max(now, last.time)
}

// maxClockDifference is, in seconds, how far the clock may be behind the last
// cosignature without a warning.
const maxClockDifference = 60
