package witness

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/cairnlog/cairn/proofs"
	"github.com/cairnlog/cairn/storage"
)

// A Config is everything a witness is made of.
type Config struct {
	// Keys sign the cosignatures: Ed25519Cosignature and MLDSA44 keys, one at
	// least, each with a public key of its own. All of them sign every answer.
	// They serve this witness only (C2SP tlog-cosignature).
	Keys []proofs.SigningKey

	// Registers keep the checkpoint that was cosigned last, for each log in a
	// register of its own. They are the witness's memory: with an older copy
	// of them, or none, the same keys can be made to sign a second history.
	Registers storage.Registers

	// Logs are the logs that are cosigned for. SetLogs changes them.
	Logs []Log

	Clock   func() time.Time      // nil: time.Now
	Logger  *slog.Logger          // nil: nothing is logged
	Metrics prometheus.Registerer // nil: nothing is measured
}

// A Witness cosigns checkpoints and never two histories of one log. It may be
// used from several goroutines, and several witnesses may share keys and
// registers.
type Witness struct {
	keys      []proofs.SigningKey
	registers storage.Registers
	now       func() time.Time
	log       *slog.Logger
	metrics   *metrics

	logs atomic.Pointer[logSet]
	told sync.Map // what first was asked about; of trusted logs only

	pause pause

	fail   sync.Once
	failed chan struct{}
}

// HTTP statuses of refusals, see [Error].
const (
	statusMalformed    = http.StatusBadRequest
	statusForbidden    = http.StatusForbidden
	statusUnknown      = http.StatusNotFound
	statusConflict     = http.StatusConflict
	statusInconsistent = http.StatusUnprocessableEntity
)

func refuse(status int, format string, args ...any) *Error {
	return &Error{Status: status, Reason: fmt.Sprintf(format, args...)}
}

// New returns a witness over registers that another may have used before it.
// It reads all of them first: a witness with a damaged memory does not start.
func New(ctx context.Context, c Config) (*Witness, error) {
	w := &Witness{keys: slices.Clone(c.Keys), registers: c.Registers, now: c.Clock, log: c.Logger, failed: make(chan struct{})}
	if w.now == nil {
		w.now = time.Now
	}
	if w.log == nil {
		w.log = slog.New(slog.DiscardHandler)
	}
	if err := checkKeys(w.keys); err != nil {
		return nil, fmt.Errorf("witness: %w", err)
	}
	names, err := w.registers.Names(ctx)
	if err != nil {
		return nil, fmt.Errorf("witness: %w", err)
	}
	for _, hash := range names {
		if _, err := load(ctx, w.registers, hash); err != nil {
			return nil, fmt.Errorf("witness: %w", err)
		}
	}
	w.metrics = newMetrics(w)
	if err := w.SetLogs(c.Logs); err != nil {
		return nil, err
	}
	return w, w.metrics.register(c.Metrics)
}

func checkKeys(keys []proofs.SigningKey) error {
	if len(keys) == 0 {
		return errors.New("no key")
	}
	for i, k := range keys {
		if !k.Key().IsWitness() {
			return fmt.Errorf("key %s: %v is not a key of a witness", k.Key(), k.Key().Type())
		}
		same := func(other proofs.SigningKey) bool { return bytes.Equal(other.Key().Public(), k.Key().Public()) }
		if slices.ContainsFunc(keys[:i], same) {
			return fmt.Errorf("key %s: its public key comes twice", k.Key())
		}
	}
	return nil
}

// Keys returns the verifier keys, by which others recognise the cosignatures.
func (w *Witness) Keys() []proofs.Key {
	var keys []proofs.Key
	for _, k := range w.keys {
		keys = append(keys, k.Key())
	}
	return keys
}

// SetLogs replaces the logs that are cosigned for. What was cosigned for a log
// stays remembered when the log is left out, so that it can come back without
// a chance of a second history. An error changes nothing.
func (w *Witness) SetLogs(logs []Log) error {
	set, err := newLogSet(logs, w.keys)
	if err != nil {
		return fmt.Errorf("witness: %w", err)
	}
	w.logs.Store(&set)
	return nil
}

// Failed is closed when the store has failed, so that nobody knows what it
// remembers. The witness then refuses everything, until it is made anew over
// registers that were opened again.
func (w *Witness) Failed() <-chan struct{} { return w.failed }

// Checkpoint returns the checkpoint that was cosigned last for the log, with
// the log's signatures that were verified and the witness's. An *Error with
// status 404 says that there is none.
func (w *Witness) Checkpoint(ctx context.Context, origin string) ([]byte, error) {
	return w.checkpoint(ctx, OriginHash(origin))
}

func (w *Witness) checkpoint(ctx context.Context, hash string) ([]byte, error) {
	note, err := latest(ctx, w.registers, hash)
	if err != nil {
		return nil, w.doubt(err)
	}
	return note, nil
}

// Latest returns what [Witness.Checkpoint] would, without a witness.
func Latest(ctx context.Context, registers storage.Registers, origin string) ([]byte, error) {
	return latest(ctx, registers, OriginHash(origin))
}

func latest(ctx context.Context, registers storage.Registers, hash string) ([]byte, error) {
	r, err := load(ctx, registers, hash)
	if err != nil {
		return nil, err
	}
	if r.bytes == nil {
		return nil, refuse(statusUnknown, "no checkpoint of such a log was ever cosigned")
	}
	return r.note(), nil
}

// doubt closes Failed, unless err says that the store goes on.
func (w *Witness) doubt(err error) error {
	var refused *Error
	if errors.As(err, &refused) {
		return err
	}
	for _, refusal := range []error{
		storage.ErrNoSpace, storage.ErrCorrupt, storage.ErrInvalid, context.Canceled, context.DeadlineExceeded,
	} {
		if errors.Is(err, refusal) {
			return err
		}
	}
	w.fail.Do(func() {
		w.log.Error("the store failed, nothing more is cosigned", "error", err)
		close(w.failed)
	})
	return err
}
