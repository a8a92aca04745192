package witness

import (
	"errors"
	"net/http"
	"sync"
	"time"

	"github.com/cairnlog/cairn/proofs"
)

// A pause is what is known of keys that cannot be signed with: one that an
// agent has may be away for a while. Then nothing is cosigned and nothing is
// remembered as cosigned, and all that was before stays as it is.
type pause struct {
	mu      sync.Mutex
	trouble string    // why nothing is signed now; empty: nothing is known to be wrong
	tried   time.Time // when that was found out last
}

const (
	retryUnsigned = 5 * time.Second // what others are told to wait before they ask again

	// unsignedPause is how long no key is tried after one could not be signed
	// with: an agent that hangs would keep every request waiting.
	unsignedPause = time.Second
)

// paused returns why nothing is signed now; empty where it is not known that
// nothing is.
func (p *pause) paused() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.trouble
}

// recently reports whether a key was found unusable just now.
func (p *pause) recently() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.trouble != "" && time.Since(p.tried) < unsignedPause
}

// set takes down why nothing is signed, and returns what was known before.
func (p *pause) set(trouble string) (was string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	was, p.trouble, p.tried = p.trouble, trouble, time.Now()
	return was
}

// cosign signs the checkpoint with every key, or with none: the signatures of
// those that could are thrown away.
func (w *Witness) cosign(c proofs.SignedCheckpoint, time uint64) (cosignatures []proofs.Signature, err error) {
	if w.pause.recently() {
		return nil, refuseUnsigned()
	}
	for _, k := range w.keys {
		s, err := k.SignCheckpoint(statement(c, k.Key()), time)
		if errors.Is(err, proofs.ErrUnsigned) {
			w.tellPause(err.Error())
			return nil, refuseUnsigned()
		}
		if err != nil {
			return nil, err
		}
		cosignatures = append(cosignatures, s)
	}
	w.tellPause("")
	return cosignatures, nil
}

// tellPause takes down what became of an attempt to sign, and tells the log
// what is new.
func (w *Witness) tellPause(trouble string) {
	was := w.pause.set(trouble)
	switch {
	case was == trouble:
	case trouble == "":
		w.log.Info("the signing keys sign again")
	default:
		w.log.Error("nothing is cosigned until the signing keys can be used again", "error", trouble)
	}
}

// refuseUnsigned says what anybody may know: not why.
func refuseUnsigned() *Error {
	e := refuse(http.StatusServiceUnavailable, "the witness cannot sign now")
	e.RetryAfter = retryUnsigned
	return e
}
