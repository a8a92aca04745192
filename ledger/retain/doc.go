// Package retain knows what the entries of a ledger say about retention: what
// is due, what is held, what is being closed, and who allowed it. It knows
// nothing else: it has no keys and no clock, and reads and writes nothing.
//
// Its nouns: a [State] is what all entries so far say. A bucket takes entries
// until its expiry is announced. A [Hold] covers entries by their indices or
// whole streams, and keeps them. A [Closing] is what makes payloads unreadable: the
// expiry of a bucket, the erasure of a subject, the release of a hold. It is
// open from its announcement until the entry that says it is done. A [Ring] is
// what a hold keeps of a closing. A [Request] is what one custodian asked for
// and another approved.
//
// # When an entry closes
//
// The moments of a ledger are its announcements: of expiries, erasures (the
// last entry of one in several) and releases. What an expiry or an erasure
// concerns closes at the first moment, from its own announcement on, at which
// no active hold covers it; and then for good. A hold is active from its own
// entry on until the announcement of its release, and what is added to it is
// covered from the entry on that adds it. So a hold wins over what is
// announced behind it, and a release closes what it alone kept.
//
// A held entry is kept in the rings of the holds: each hold that covers it
// when it should close gets it in its ring for that closing. A hold that was
// made later gets it from the ring of another when that one is released. A
// closing is thus repeatable: [State.Open] tells again, after any crash, what
// the ledger has to do, in the order in which it has to be done: what is in
// [Closing.Rings] goes into rings, and then what is in [Closing.Closes] and in
// no ring is destroyed.
//
// # What is promised
//
// The state is a function of the entries. Applied again, an entry changes
// nothing, so that it does not matter how old a snapshot was when the ledger
// stopped. An entry that no honest writer makes is refused with an
// [EntryError], and the state stays as it was: an entry in a closed bucket; an
// announcement that does not describe the bucket as it is, or of a bucket of
// a stream that is held; an act without the request that it needs; closings
// that are not done in their order; and so on.
//
//   - Buckets are numbered from 1 without a gap, and no two share a path: they
//     would share keys.
//   - A class keeps its period: the numbers of its buckets would mean
//     something else. Class 0, which seals the ledger's settings, is kept for
//     ever. A class of the ledger's own stream that no entry has set is kept
//     for ever, and its periods are months.
//   - Closings are done in the order of their announcements, so that the ring
//     of one never holds what one before it closes.
//   - The parts of an erasure follow one another, and their runs rise. What is
//     not of the erasure may lie between them. A first part begins anew.
//   - Where two custodians are configured, an erasure, a release, a shorter
//     grace, going back to one custodian and whatever takes something from a
//     class or a stream need a request: see [proofs.StreamBody.Weakens].
//     Both who asks and who approves are custodians: among those who are named,
//     if any are, when they say so and when it is done. To name others needs a
//     request too. A request allows one act of its kind, of the time of its
//     approval plus the grace that was in force then, or later.
//
// # Public entries that nobody needs any more
//
// Where settings say so, a minimum index is announced, below which bundles of
// nothing but events and acts need not be public any more. [State.Prunable] says
// how far it may go: up to the first entry of a bucket, of any stream but the
// ledger's own, that has not expired before a checkpoint that is old enough, or
// that an active hold covers; and not at all while a closing is open.
//
// # What it does not do
//
// It cannot judge times of checkpoints: that a bucket has reached its age is
// told by [State.Due], and for others by the checkpoints that the announcement
// names. It does not know which indices are in which bucket, nor what was
// gone before a hold was made: so what it says about entries of a bucket is
// about those of the given indices that are in it, and about what is kept it
// may name entries that are gone already. It never leaves out one that is not.
//
// # Limits
//
// About 100 bytes a bucket, 60 a stream and 4 for each of its fields, 140 a hold, 80 a request, 130 a closing while it
// is open or something of it is kept, and 32 for each entry that announced an
// erasure. A run, 16 bytes, is kept once for each hold, and once for each
// erasure that is open or of which it is kept. [State.Apply] of an event takes
// some tens of nanoseconds and allocates nothing. A State can be used by many
// goroutines at once; what it returns is shared and must not be changed.
package retain
