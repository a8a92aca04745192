// Package trillian keeps the ledger's Merkle tree in a Trillian log.
//
// It is the only importer of Trillian, together with its child package
// embedded. Its nouns: a [Tree] is one pre-ordered log (PREORDERED_LOG); its
// [Head] is the size and the root that Trillian computed; a [Leaf] is opaque
// bytes at an index that the caller chose.
//
// One writer appends leaves at the indices that follow, and integrates them;
// any number of readers read leaves, nodes and tiles at the same time. Trillian
// orders and integrates; it does not sign, and nothing here runs by itself:
// there is no ticker, [Tree.Integrate] is called by the writer.
//
// A tree lives in one of three places:
//
//   - [OpenEmbedded]: in a directory, in this process, on Pebble.
//   - [Open]: in any Trillian storage, in this process, such as its
//     PostgreSQL storage.
//   - [Dial]: in a Trillian log server, by gRPC; its log signer integrates.
//
// # Promises
//
// Append returns nil only when every index holds the leaf that was given. The
// status of each leaf is read; where a storage leaves a doubt, the leaf is read
// back and compared, and another leaf in its place is [ErrForeignLeaf]. Lengths
// and sizes that a storage or a server returns are never trusted.
//
// A tree is only ever made where creation was asked for. A missing tree is
// [ErrNotFound]: a log that lost its tree must not start a new one.
//
// With OpenEmbedded, what was appended and integrated is durable after
// [Tree.Sync]; a crash before that loses a suffix of it, never the middle, and
// the caller's journal appends it again. With the others it is durable when
// Append and Integrate return, as far as that storage keeps its own promise.
//
// # Remote trees
//
// A Trillian server answers leaves and finished proofs, but no nodes. So a
// remote tree keeps the nodes itself: a shadow, which is an embedded tree that
// holds leaf hashes only, in memory or in a directory, brought up to date from
// the server's leaves when it is opened and from the writer's own afterwards.
// The shadow's root, which Trillian's code computes here, must equal the
// server's, else [ErrDiverged]. The shadow can be deleted at any time.
//
// # Containment
//
// Trillian logs through the process-wide klog, which is redirected to the
// logger given at opening, of the last tree that was opened. It registers
// tree_ids_with_no_ephemeral_nodes on flag.CommandLine, which no command of
// ours parses or prints. Its metrics are process-wide too, and switched off.
package trillian
