// Package witness never signs two histories of one log.
//
// A [Witness] is asked to cosign a log's checkpoint ([Request]). It remembers
// of each log the checkpoint that it cosigned last, and cosigns another only
// with a proof that it extends that one. Who sees a checkpoint with the
// cosignatures of witnesses that they trust knows that nobody is shown
// another history (C2SP tlog-witness, tlog-cosignature). [Witness.Handler]
// serves it over HTTP, a [Client] asks one elsewhere, and to whoever needs
// cosignatures both are a [Cosigner].
//
// # What it promises
//
// Every checkpoint of a log that it has cosigned extends every one that it
// had cosigned before, whatever requests come at the same time, and whenever
// the process dies or the power fails. The commit point is one
// compare-and-swap of the log's register, durable before any cosignature
// leaves the process:
//
//	parse         400  the request and the checkpoint are well formed
//	authenticate  404  the origin is known
//	              403  a trusted key signed, and no signature by one is wrong
//	              400  the old size is not above the checkpoint's
//	compare       409  the old size is that of the checkpoint cosigned last
//	prove         422  the checkpoint extends it
//	cosign        503  with every key, at a time that never goes back
//	swap               from the record that was compared; else compare again
//	answer        200  the cosignatures
//
// Each answer has the cosignatures of all its keys, Ed25519 and ML-DSA-44, so
// that a policy can count either: group w any w-ed25519 w-mldsa.
//
// A key may be one that an agent has. While it cannot be used the answer is 503,
// nothing is remembered as cosigned, and what was stays as it is.
//
// Extension lines of a checkpoint are cosigned, and nothing is said about
// what they mean. One of the log's Ed25519 signatures must cover them.
//
// # What it does not do
//
// It cannot see that its registers were put back to an earlier state: whoever
// restores them from a backup makes a second history possible, and must take
// new keys instead. It does not fetch anything, it limits nobody's rate, and it
// keeps no tree: that a checkpoint's entries exist is for others to check.
//
// # Metrics
//
//	cairn_witness_requests_total{status}  requests to cosign, by the HTTP status of the answer
//	cairn_witness_cosign_seconds          time to cosign, where it was cosigned
//	cairn_witness_forks_total             checkpoints refused because the log had signed another root for the size
//	cairn_witness_logs                    logs that are cosigned for
//	cairn_witness_signing_paused          1 while a signing key cannot be used, so that nothing is cosigned
package witness
