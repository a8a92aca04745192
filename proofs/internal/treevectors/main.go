// Command treevectors writes the test vectors of the tree and its files:
// inclusion, consistency, tile and bundle. Each is an array of objects with a
// name that is a sentence, inputs, a verdict ("ok" or "reject") and the
// reason of a refusal. Bytes and hashes are in hexadecimal, integers of 64
// bits are decimal strings.
//
// Run it by go generate in the directory of package proofs. It draws nothing
// at random: every run writes the same bytes.
package main

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: treevectors DIRECTORY")
		os.Exit(2)
	}
	if err := write(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "treevectors:", err)
		os.Exit(1)
	}
}

func write(dir string) error {
	for name, vectors := range map[string]any{
		"inclusion":   inclusionVectors(),
		"consistency": consistencyVectors(),
		"tile":        tileVectors(),
		"bundle":      bundleVectors(),
	} {
		var b bytes.Buffer
		enc := json.NewEncoder(&b)
		enc.SetEscapeHTML(false)
		enc.SetIndent("", "  ")
		if err := enc.Encode(vectors); err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(dir, name+".json"), b.Bytes(), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// A verdict ends every vector.
type verdict struct {
	Verdict string `json:"verdict"`
	Error   string `json:"error,omitempty"` // of what is refused: one of the two below
	Why     string `json:"why,omitempty"`
}

var ok = verdict{Verdict: "ok"}

func malformed(why string) verdict { return verdict{"reject", "malformed", why} }

func notVerified(why string) verdict { return verdict{"reject", "does not verify", why} }

// hexBytes are written in lower-case hexadecimal.
type hexBytes []byte

func (b hexBytes) MarshalText() ([]byte, error) { return []byte(hex.EncodeToString(b)), nil }

// must returns v, or panics: what the vectors are made from is well formed.
func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
