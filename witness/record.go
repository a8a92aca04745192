package witness

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/cairnlog/cairn/proofs"
	"github.com/cairnlog/cairn/storage"
)

// A record is what the register of a log holds: the checkpoint cosigned last,
// as the witness serves it, under a line with the time of its cosignatures.
//
//	cairn/v1 cosigned <time>
//	<checkpoint, with the log's signatures and then the witness's>
//
// The zero record stands for a log that was never cosigned.
type record struct {
	bytes  []byte // as in the register
	time   uint64 // seconds since 1970
	signed proofs.SignedCheckpoint
}

const recordIntro = "cairn/v1 cosigned "

// never is the record of a log that was never cosigned.
func never() record {
	return record{signed: proofs.SignedCheckpoint{Checkpoint: proofs.Checkpoint{Root: proofs.EmptyRoot()}}}
}

// newRecord puts together the record that the checkpoint, with the log's
// signatures, was cosigned.
func newRecord(time uint64, c proofs.SignedCheckpoint, cosignatures []proofs.Signature) record {
	c.Note.Signatures = slices.Concat(c.Note.Signatures, cosignatures)
	b := fmt.Appendf(nil, "%s%d\n", recordIntro, time)
	return record{append(b, proofs.FormatSignedCheckpoint(c)...), time, c}
}

// parseRecord reads what newRecord wrote, and nothing else.
func parseRecord(b []byte) (record, error) {
	line, note, ok1 := bytes.Cut(b, []byte("\n"))
	number, ok2 := strings.CutPrefix(string(line), recordIntro)
	time, err := parseSize(number)
	if !ok1 || !ok2 || err != nil || time == 0 {
		return record{}, fmt.Errorf("no line %q and a time", recordIntro)
	}
	signed, err := proofs.ParseSignedCheckpoint(note)
	if err != nil {
		return record{}, err
	}
	return record{b, time, signed}, nil
}

// note returns the checkpoint as it is served.
func (r record) note() []byte {
	_, note, _ := bytes.Cut(r.bytes, []byte("\n"))
	return note
}

// answer returns the cosignatures of the record if a new one of c would say
// the same: the same text, time and signers. So a repetition within a second
// costs neither a signature nor a write. Otherwise it returns nil.
func (r record) answer(c proofs.SignedCheckpoint, own []proofs.SigningKey, time uint64) []proofs.Signature {
	if r.time != time || r.signed.Note.Text != c.Note.Text {
		return nil
	}
	for _, s := range c.Note.Signatures {
		if r.signature(s.Name, s.KeyID) < 0 {
			return nil
		}
	}
	var cosignatures []proofs.Signature
	for _, k := range own {
		i := r.signature(k.Key().Name(), k.Key().ID())
		if i < 0 {
			return nil
		}
		cosignatures = append(cosignatures, r.signed.Note.Signatures[i])
	}
	return cosignatures
}

// signature returns where the signature by a key stands, or -1.
func (r record) signature(name string, id uint32) int {
	return slices.IndexFunc(r.signed.Note.Signatures, func(s proofs.Signature) bool {
		return s.Name == name && s.KeyID == id
	})
}

// OriginHash returns the name of a log in URLs and registers: the SHA-256 of
// its origin in lower-case hexadecimal (C2SP tlog-witness, "Monitor Retrieval
// Mechanism").
func OriginHash(origin string) string {
	h := sha256.Sum256([]byte(origin))
	return hex.EncodeToString(h[:])
}

// isOriginHash reports whether s is a SHA-256 in hexadecimal, which can name a
// register.
func isOriginHash(s string) bool {
	b, err := hex.DecodeString(s)
	return err == nil && len(b) == sha256.Size
}

// load reads the record of a log by its origin's hash. A record that cannot
// be read is never taken for one that is not there.
func load(ctx context.Context, registers storage.Registers, hash string) (record, error) {
	b, err := registers.Register(hash).Load(ctx)
	if errors.Is(err, storage.ErrNotFound) {
		return never(), nil
	}
	if err != nil {
		return record{}, err
	}
	r, err := parseRecord(b)
	if err == nil && OriginHash(r.signed.Origin) != hash {
		err = fmt.Errorf("it is of log %q", r.signed.Origin)
	}
	if err != nil {
		return record{}, fmt.Errorf("%w: register %s: %w", storage.ErrCorrupt, hash, err)
	}
	return r, nil
}
