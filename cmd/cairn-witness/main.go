// Command cairn-witness cosigns the checkpoints of transparency logs, so that
// no log can show two histories to people who trust it. See cairn-witness(8).
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/cairnlog/cairn/cmd/internal/command"
)

func main() {
	if err := command.RefuseCoreDumps(); err != nil {
		fmt.Fprintln(os.Stderr, "cairn-witness:", err)
	}
	os.Exit(run(context.Background(), os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}
