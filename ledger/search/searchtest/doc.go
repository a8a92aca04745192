// Package searchtest makes the documents that searches are tested and measured
// with.
//
// [Documents] makes synthetic audit events of about 470 bytes of JSON, each
// with 13 declared fields and a text of 12 words, in any number: the same seed
// makes the same events everywhere, and fewer of them are the first of more.
// [Windows] reads 40,569 events that real systems wrote while they were
// attacked. Both are a sequence of [Document], so that what works on one works
// on the other.
//
// Synthetic events hang together as real ones do. A person works in a session:
// about 20 events with one actor, address and user agent, among those of some
// hundred other sessions. Few actors, actions, resources, addresses and words
// make most of the events, and most of the rest are rare (the law of Zipf: the
// k-th is k times as rare as the first).
//
// The package imports nothing but the standard library, so that programs which
// index the same documents with other software need nothing of Cairn.
package searchtest
