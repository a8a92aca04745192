// Command cairn is for those who use a Cairn ledger without trusting it: it
// appends events, reads them, proves, verifies, audits and exports. See
// cairn(1).
package main

import (
	"context"
	"os"
)

func main() {
	os.Exit(run(context.Background(), os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}
