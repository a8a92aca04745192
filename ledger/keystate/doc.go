// Package keystate keeps the key tree of a ledger where it can be erased.
//
// Its nouns: a [Store] keeps the state of one tree in several places. A
// [Place] is a directory that always holds the latest state and no other. The
// cell is 32 random bytes under which the state is sealed; it is replaced each
// time keys are destroyed, and the old one is overwritten and removed: it is
// all that has to be erased. A [Wrapper] closes cells for those who can read
// the files, with a passphrase or at a key service. Where that service can
// destroy one version of a key, see [Versions], old copies of a place are
// closed for good too. An [Escrow] is a copy for recipients who are not there,
// in the place of a second place.
//
// # Files
//
// A place has two files for each epoch of the tree, of which there are two
// only while one replaces the other:
//
//	state-<epoch>   the tree, sealed
//	cell-<epoch>    the cell
//
// Their names have the epoch in decimal; their bytes are, in TLS presentation
// language (RFC 8446 §3):
//
//	struct {
//	    uint8  version = 1;
//	    uint64 epoch;
//	    opaque sealed<1..2^32-1>;       /* AES-256-GCM of the state of package keytree under the cell */
//	} State;
//
//	struct {
//	    uint8  version = 1;
//	    uint64 epoch;
//	    opaque owner[32];               /* the ledger */
//	    opaque wrapping<0..255>;        /* the wrapper's name; empty: the cell lies as it is */
//	    opaque cell<1..65535>;
//	} Cell;
//
// A cell seals once, so the nonce is zero. What is authenticated beside the
// state is the name "cairn/v1 key state", the epoch and the owner.
//
// An escrow has a file escrow-<epoch>.age for each epoch, encrypted with age:
//
//	struct {
//	    uint8  version = 1;
//	    opaque owner[32];
//	    opaque state[rest of the file]; /* of package keytree */
//	} Escrow;
//
// # What is promised
//
// When [Store.Destroy] has returned, every place holds the new state, and no
// place has the old cell: whoever gets hold of a place, or of any copy of an
// old state without its cell, derives none of the destroyed keys. It returns
// before that only with an error; then nobody knows what is on the disks, the
// store refuses everything, and [Open] finds out: a state that is whole in any
// place is in force, and is brought to all others before Open returns.
//
// # What is not promised
//
// Whoever kept a copy of a cell and of its state can still derive what was
// destroyed since: places must be in no backup, in no snapshot, and on no file
// system that keeps old blocks. A medium that moves blocks, as flash does,
// keeps the old cell until it needs the room.
package keystate
