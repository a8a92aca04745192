package main

import "github.com/spf13/pflag"

// reasonFlag gives a command that reads the flag that says why.
func (p *program) reasonFlag(f *pflag.FlagSet) {
	f.StringVar(&p.reason, "reason", "", "`TEXT` that says why you read; it is recorded, and some streams demand it")
}
