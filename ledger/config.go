package ledger

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"io"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/cairnlog/cairn/ledger/keystate"
	"github.com/cairnlog/cairn/ledger/keytree"
	"github.com/cairnlog/cairn/ledger/search"
	"github.com/cairnlog/cairn/proofs"
	"github.com/cairnlog/cairn/storage"
	"github.com/cairnlog/cairn/witness"
)

// A Config is everything a ledger is made of. The ledger opens nothing and
// closes nothing of it but the tree's and the journal's use: whoever opened a
// part closes it after [Ledger.Close].
type Config struct {
	// Journal, Vault, Index, Objects and Registers keep the ledger's state.
	// They belong to this ledger alone.
	Journal   storage.Journal
	Vault     storage.Vault
	Index     storage.Index
	Objects   storage.Objects
	Registers storage.Registers

	// SignedCopy is a copy of the register "signed" in a place that is not
	// restored together with the rest. It is what tells a copy of the ledger
	// that was brought back from the past. Nil: there is none.
	SignedCopy storage.Register

	// Tree is the Merkle tree that Trillian keeps.
	Tree Tree

	// Keys are the log's signing keys, all with the origin as their name. The
	// first is Ed25519; an ML-DSA-44 key may follow. While one that somebody
	// else keeps ([proofs.NewSigningKey]) does not sign, signing pauses.
	Keys []proofs.SigningKey

	// Secrets are the keys of payloads, tags and local state.
	Secrets Secrets

	// Keystate destroys keys of Secrets.Tree. Nil: nothing can be erased and
	// nothing expires.
	Keystate Keystate

	// Search is the search index: its directory, and what memory it may take. The
	// rest is the ledger's. Nil: there is no index. It can be removed, and is made
	// again.
	Search *search.Config

	// Policy is the ledger's own C2SP tlog-policy: what it publishes meets it.
	// PolicyText is its exact text.
	Policy     *proofs.Policy
	PolicyText []byte

	// Witnesses are asked for cosignatures.
	Witnesses []Witness

	// Limits bound what the ledger takes; zero values are the defaults.
	Limits Limits

	// Heartbeat is how long an idle ledger waits before it has its checkpoint
	// cosigned again, so that its age shows that it lives. Zero: one minute.
	Heartbeat time.Duration

	// KeepCheckpoint is the least time between two published checkpoints that
	// are kept for auditors. Zero: one minute.
	KeepCheckpoint time.Duration

	// WitnessTimeout bounds one request to a witness. Zero: ten seconds.
	WitnessTimeout time.Duration

	// Retention is how often the ledger looks for what has reached its age.
	// Zero: ten minutes.
	Retention time.Duration

	Clock   func() time.Time      // nil: time.Now
	Rand    io.Reader             // nil: crypto/rand
	Logger  *slog.Logger          // nil: nothing is logged
	Metrics prometheus.Registerer // nil: nothing is measured

	indexRetry time.Duration // how long the indexer waits after what failed; only tests change it
	readRetry  time.Duration // and how long who could not read the vault
}

// A Witness is a witness of the policy that can be asked.
type Witness struct {
	Names    []string // in the policy; several where the witness has several keys
	Cosigner witness.Cosigner
}

// A Keystate destroys keys of the tree that it keeps, and no others can.
// keystate.Store is one.
type Keystate interface {
	// Destroy destroys every key at or below the paths, all at once, and
	// returns when nothing that is kept brings them back. Where all are
	// destroyed already it does nothing. The error is keystate.ErrOneCopy or
	// keystate.ErrFailed where nothing was tried, and matches keystate.ErrAgain
	// where a key service did not do its part and the same is to be asked again;
	// after any other nobody knows which keys are left before the ledger is
	// opened again.
	Destroy(ctx context.Context, paths ...keytree.Path) (keystate.Replacement, error)

	// Current names the state in force.
	Current() keystate.Replacement

	// Check returns why nothing can be destroyed, or nil.
	Check() error
}

// Secrets are the keys that a ledger needs besides its signing keys. None of
// them is ever written by this package.
type Secrets struct {
	Tree   *keytree.Tree // derives the keys of buckets, subjects and holds
	Master proofs.Key256 // seals local state
}

// Derive returns the 32-byte key for one use of the master key: the
// HMAC-SHA-256 of "cairn/v1 ", the use and a newline.
func (s Secrets) Derive(use string) []byte {
	m := hmac.New(sha256.New, s.Master[:])
	m.Write([]byte("cairn/v1 " + use + "\n"))
	return m.Sum(nil)
}

// Limits bound what a ledger takes.
type Limits struct {
	Payload int // largest event in bytes; zero: 1 MiB
	Batch   int // most events in one append and, about, in one batch; zero: 4,096
	Queue   int // most events that wait for their batch; zero: 16,384
	Bytes   int // most bytes of events that wait for their batch; zero: 64 MiB
}

// A Tree keeps the leaves in their order and computes the root, apart from
// this package and by other code. storage/trillian implements it.
type Tree interface {
	// Head returns the size and root of what is integrated.
	Head(ctx context.Context) (size uint64, root [32]byte, err error)

	// Append makes the leaves those from index first on. It returns nil only
	// if every index holds its leaf, also where it did before.
	Append(ctx context.Context, first uint64, leaves [][]byte) error

	// Integrate brings the tree to exactly this size and returns its root.
	Integrate(ctx context.Context, size uint64) (root [32]byte, err error)

	// Sync makes durable what Append and Integrate did.
	Sync(ctx context.Context) error

	// Leaves returns count leaves from index start on.
	Leaves(ctx context.Context, start, count uint64) ([][]byte, error)

	// ReadNodes returns the hashes of complete subtrees.
	ReadNodes(ctx context.Context, ids []proofs.NodeID) ([]proofs.Hash, error)
}

func (c Config) withDefaults() Config {
	set := func(v *int, d int) {
		if *v <= 0 {
			*v = d
		}
	}
	set(&c.Limits.Payload, 1<<20)
	set(&c.Limits.Batch, 4096)
	set(&c.Limits.Queue, 16384)
	set(&c.Limits.Bytes, 64<<20)
	setTime := func(v *time.Duration, d time.Duration) {
		if *v <= 0 {
			*v = d
		}
	}
	setTime(&c.Heartbeat, time.Minute)
	setTime(&c.KeepCheckpoint, time.Minute)
	setTime(&c.WitnessTimeout, 10*time.Second)
	setTime(&c.Retention, 10*time.Minute)
	setTime(&c.indexRetry, 10*time.Second)
	setTime(&c.readRetry, 10*time.Second)
	return c
}
