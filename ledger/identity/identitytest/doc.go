// Package identitytest holds doubles of those who vouch for identities, for
// tests of what believes them: a [CA] of clients' certificates, and an [Issuer]
// of OpenID Connect tokens that serves its discovery document and keys on this
// host. They make good credentials, and whatever bad ones a test asks for. They
// vouch for nobody outside of tests.
package identitytest

// A T is a test, as [testing.TB] is.
type T interface {
	Helper()
	Error(...any)
	Fatal(...any)
	Fatalf(string, ...any)
	Cleanup(func())
}
