// Package logtest holds implementations of [client.Log] to their law. [Run]
// takes a log that is open and tests it from the outside, as its users would.
//
// It writes to the log and takes nothing back, so it needs one to try things
// with. It does not test what a log does when its server fails.
package logtest
