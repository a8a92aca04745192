// Package ledger is the operator of a Cairn log: it takes audit events, fixes
// their order, seals them, keeps them in a Merkle tree, signs checkpoints,
// gathers cosignatures and publishes. It can be embedded in any program;
// cairnd is one.
//
// # The journey of an entry
//
// State is four sizes that only grow: sequenced ≥ integrated ≥ signed ≥
// published.
//
//	admit      many goroutines check, seal and commit an event        admit.go
//	batch      one goroutine decides duplicates, fixes order and time  sequence.go
//	journal    one append, one sync: the batch is sequenced            sequence.go
//	order      the leaves go to the tree, the records to the vault     integrate.go
//	integrate  the tree computes the root: the batch is integrated     integrate.go
//	check      our own root, from the journal's bytes, is the same     integrate.go
//	sign       compare-and-swap of the register "signed"               publish.go
//	cosign     all witnesses at once, until the quorum                 cosign.go
//	publish    compare-and-swap of the register "published"            publish.go
//
// Each step is derived from what the step before it made durable, and can be
// repeated. So recovery is the same steps, taken once more from the journal
// (recover.go), and nothing is repaired by hand. Each arrow is an order of
// writes, and the write itself says why it must come there.
//
// The key that signs may be one that an agent has. While it cannot be used
// signing pauses, and all that was signed before stays as it is (signer.go).
//
// # What it promises
//
// An entry is reported in a state only once it is there (law 1). The log
// signs only a checkpoint that extends the last one it signed (law 2), only
// where two computations of the root agree (law 3), and publishes only with
// the policy's quorum (law 4). Leaves and disk hold commitments and ciphertext
// only (law 5). An event is kept byte for byte, and once per idempotency key
// or source sequence number (law 9).
//
// # What a search leaves out
//
// Nothing, and that can be proven ([Session.ProveComplete]): every segment of
// 4,096 entries has a directory, which says for each tag in it which entries have it
// (package proofs). Its place in the log is fixed, so that there is one, and the
// sequencer waits there until it is made (directories.go). An erasure takes tags
// away: then the directories that had them are made anew, before the erasure is
// done, and another entry says so. After that no row leads to what was erased.
//
// # What is not public any more
//
// Public entries are public for ever, unless settings let them be pruned as
// C2SP tlog-tiles describes (prune.go, [PruningConfig]). Then a minimum index is
// announced, once all below it has been closed for the days that the settings
// say; it is in force once the announcement is published, and from then on
// bundles below it that hold nothing but events and acts are not served. All
// that says how the rest is to be read stays, and so do all hashes: every proof
// is made as before. Nothing is removed from storage, as C2SP recommends: a
// start makes its state again from the leaves, tags cannot be checked without
// the settings and field keys among them, and who may ask still gets receipts.
//
// # What it does not do
//
// It does not authenticate callers: [Ledger.As] is told who they are. It does not repair storage
// that lost what it had promised: then it stops and says what it saw, because
// a ledger that is down can be repaired and one that forked cannot.
package ledger
