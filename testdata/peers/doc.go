// Package peers has Cairn judged by software that others wrote.
//
// Its tests make a ledger and a witness, serve them on the loopback interface,
// and hand them to the tools and libraries of the transparency-log field, as
// they were released: Tessera's fsck and client, torchwood,
// transparency-dev/formats and the Go project's sumdb packages. A Tessera log
// is cosigned by our witness too. What one of them says against Cairn fails
// the test in its own words. A judge that verifies is then shown something
// damaged, to see that it would say so.
//
// The program in search measures Cairn's search beside what others wrote.
//
// It is a module of its own, so that nothing of this becomes a dependency of
// Cairn's.
package peers
