// Command cairnd runs a Cairn ledger: it makes one, serves it and administers
// it. See cairnd(8).
package main

import (
	"context"
	"os"
)

func main() {
	os.Exit(run(context.Background(), os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}
