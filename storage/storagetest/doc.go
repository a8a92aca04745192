// Package storagetest holds every implementation of package storage to the law
// in its comments.
//
// There is one suite for each contract. A suite takes a function that makes a
// [Subject], an empty store and the ways in which it can end, and runs it
// through three kinds of tests:
//
//   - the law, clause by clause: what is refused, what is kept, what several
//     goroutines see;
//   - a table of every durable step × every outcome × every ending, if the
//     subject follows a fault.Plan. The steps are learned from a run without
//     faults, so a step that is added later is in the table at once;
//   - random histories with power cuts, if the subject has any.
//
// After each ending the store is opened again by its ordinary way, compared
// with what the history was promised, and used further.
package storagetest
