package main

import (
	"context"
	"os"

	"github.com/cairnlog/cairn/cmd/internal/clock"
)

// main is the program with a clock that jumps.
func main() {
	p := newProgram(os.Stdin, os.Stdout, os.Stderr)
	p.clock = clock.Now
	os.Exit(p.run(context.Background(), os.Args[1:]))
}
