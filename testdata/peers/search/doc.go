// Command search measures how fast Cairn's search is, and software that
// others wrote, on the same documents and the same questions.
//
//	go -C testdata/peers run ./search -n 100000
//
// A [Peer] opens an [Index], which is given documents in batches and keeps each
// batch durably. Then every peer is asked the same questions, drawn from the
// documents: see [Query]. Each peer runs in a process of its own, one after the
// other, and a table of what was measured is printed. A peer whose answers are
// not those that the documents themselves give is not in it.
//
// The documents are those of Cairn's package searchtest: synthetic ones, or with
// -windows the events of testdata/events/windows-persistence.zip.
package main
