// Package audit judges a whole ledger from its files: an export, a mirror, a
// backup, or what a live ledger serves. It needs no network, no key and no
// trust in the server, only a policy that says which log and which witnesses
// are believed.
//
// The files lie in an [fs.FS]:
//
//	checkpoint                     the latest published checkpoint, signed
//	tile/<L>/<N>[.p/<W>]           hashes   } C2SP tlog-tiles
//	tile/entries/<N>[.p/<W>]       entries  }
//	log                            what the ledger says of itself, of which only the
//	                               minimum index is looked at, and not believed; optional
//	checkpoints/<size>             kept checkpoints, each published once as the
//	                               latest; the size as in [CheckpointPath]; optional
//	vault/<N>[.p/<W>]              sealed records of the same entries as the bundle
//	                               of that place, see [FormatVault] and
//	                               [FormatNotice]; optional
//	receipts/<name>.tlog-proof     receipts (C2SP tlog-proof); optional
//
// [Run] derives everything again from the entries: each leaf hash, each tile
// at each level, the root at the size of each kept checkpoint. It checks the
// signatures, that the time never goes back, that buckets are opened before
// they are used, that no source has gaps or repeats, that the vault's records
// are those the leaves commit to, and that the receipts belong to this tree.
// What is wrong is a [Finding]: a sentence, the file, the entry. Where two
// files contradict each other, the one that does not lead to the signed root
// is blamed.
//
// # What is closed, and what is kept
//
// Payloads are closed by the expiry of a bucket, the erasure of a subject or
// the release of a hold, each announced in one entry and completed in another.
// No key is needed to judge that:
//
//   - A bucket expires after its period, and after its class has kept it for
//     its days, by the cosigned times of the kept checkpoints that the
//     announcement names, and by the last settings before it. The announcement
//     describes the bucket as it is, and nothing enters it later.
//   - Where the ledger wants two custodians, an erasure, a release, a class that
//     keeps entries for less time, settings that take something from a stream
//     (see [proofs.StreamBody.Weakens]) and a weaker rule name a request that
//     somebody else has approved, once, after its grace and before anybody
//     withdrew it. Both are among the custodians whom it names, if it does.
//   - An event is in no class that keeps it for less time than its stream's own
//     does when it is recorded.
//   - A hold wins over what is announced behind it, until the announcement of
//     its own release.
//   - A record is missing, or lacks a part, only if an announcement says why
//     and no hold keeps it; and once that is done, nothing of it is left. An
//     erasure says of which entries, and not of how many parts: it may take
//     any part and has to take one, and never the whole record.
//   - What is announced is done within a day of the ledger's time, and by a
//     key state that was not there before; no key state comes back.
//
// What takes keys to see is not judged: that a request asks for just what was
// done, and not for another act of its kind; who it is that asks and approves,
// beyond that it is two names; who else may act as a custodian.
//
// # Directories
//
// At each of their places ([proofs.DirectoryPlace]) stands the directory of a
// segment, and of a large one that ends with it. Anywhere else an entry only
// makes directories anew of which an erasure, that is announced and not done,
// names an entry. Each says which entry did so last, and its roots are those over
// all that was made so far: there is one directory of each segment at any time,
// and whoever knows the last entry knows all. That it holds just the tags of its
// segment takes these tags to see: with a [Recomputing] it asks the ledger for them,
// makes directories again, all or some, and names the row that is missing, added or
// split. [State.RecomputeDirectory] does so for one. It takes no key.
//
// # What is pruned
//
// A bundle that is missing may be pruned (C2SP tlog-tiles), where the ledger says
// that its minimum index is above it. That is allowed if an entry announces such
// an index: [proofs.MinimumBody] says when it may. The hashes of what is pruned
// are there, and are judged, and so is all that lasts; the announcement commits
// to that, so that no hold or setting can be hidden among what is not. Nobody can
// tell any more how many of the entries were in which bucket, which numbers their
// sources gave them, and whether their records are gone: [Summary.NotJudged] says
// so. A state from before has judged it.
//
// The times of kept checkpoints are those by today's policy: one that does not
// know the witnesses of then can't tell.
//
// A [State] is what an auditor remembers. With it the next run reads only what
// is new, and the old records of which that says that they are closed, and
// still notices a ledger that was rolled back or forked.
//
// # A ledger that goes on
//
// A live ledger may close something while it is judged. What is gone and has no
// reason by the checkpoint that is judged by is judged once more by the newest
// one, which has to be of the same history: what goes away was announced
// before, in what was published by then.
//
// # Opening
//
// With a [Sampling] it also asks whoever can read them for the payloads of
// some events, out of all that should open, and checks what it is shown. What
// does not open is a finding.
//
// What it does not do: it opens no payload itself, and it can't say whether an
// event is true, nor whether tags fit payloads. It doesn't judge files beyond the
// checkpoint, nor any that are not named above.
package audit
