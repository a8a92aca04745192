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
// are those the leaves commit to and none of them is missing without a published
// reason, and that the receipts belong to this tree.
// What is wrong is a [Finding]: a sentence, the file, the entry. Where two
// files contradict each other, the one that does not lead to the signed root
// is blamed.
//
// A [State] is what an auditor remembers. With it the next run reads only what
// is new and still notices a ledger that was rolled back or forked.
//
// What it does not do: it opens no payload, so it can't say whether an event
// is true, nor whether tags fit payloads. It doesn't judge files beyond the
// checkpoint, nor any that are not named above.
package audit
