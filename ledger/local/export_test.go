package local

// Quick returns options whose passphrase is cheap to try, as no real one may
// be.
func Quick(o InitOptions) InitOptions {
	o.workFactor = 10
	return o
}
