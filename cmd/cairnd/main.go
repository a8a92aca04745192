// Command cairnd runs a Cairn ledger: it makes one, serves it and administers
// it. See cairnd(8).
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/cairnlog/cairn/cmd/internal/command"
)

func main() {
	if err := command.RefuseCoreDumps(); err != nil {
		fmt.Fprintln(os.Stderr, "cairnd:", err)
	}
	os.Exit(run(context.Background(), os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}
