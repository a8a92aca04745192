package storage

import "context"

// MaxRegister bounds a register's value in bytes.
const MaxRegister = 1 << 20

// A Register is one cell that changes only by compare-and-swap. It is where a
// ledger or a witness commits: whoever signs does so after Swap has returned
// nil, and never otherwise.
//
// The law: the values that Load returns over the life of a register, across
// crashes, are a sequence in which each follows from the one before by one
// Swap. A value that was returned by Load, or whose Swap returned nil, is
// never taken back. A Swap in doubt took place whole or not at all.
type Register interface {
	// Load returns the durable value. A register that was never set is
	// ErrNotFound.
	Load(ctx context.Context) ([]byte, error)

	// Swap replaces old by new, durably when it returns nil. It returns
	// ErrConflict when the value is not old. An empty old means that the
	// register was never set. The new value has 1 to MaxRegister bytes, else
	// ErrInvalid: a register cannot be emptied again.
	Swap(ctx context.Context, old, new []byte) error
}

// Registers are many registers that share their syncs: Swaps that wait at the
// same time become durable together. Each register keeps the law of Register
// on its own; a failure closes all of them.
type Registers interface {
	// Register returns the register of that name, set or not. A name that
	// CheckRegisterName refuses yields a register whose calls return
	// ErrInvalid.
	Register(name string) Register

	// Names returns the names of the registers that were set, in byte order.
	Names(ctx context.Context) ([]string, error)
}
