// Package client lets programs use a Cairn ledger without trusting it:
// submit, read, verify and follow.
//
// [Log] is the ledger as its users see it. [HTTP] is a Log on a server;
// ledger.Ledger is one in process. Nothing that a Log answers is believed:
// [Verifier] checks it against a policy and against what it believed before.
package client
