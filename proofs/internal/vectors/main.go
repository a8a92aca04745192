// Command vectors writes the test vectors of Cairn's own formats, and of the
// tree and its files, for programs in other languages as much as for ours. Each file is an array of
// objects with a name that is a sentence, inputs, a verdict ("ok" or
// "reject") and, for what is refused, the kind of error and the reason.
// Bytes are in hexadecimal, integers of 64 bits are decimal strings.
//
// Run it by go generate in the directory of package proofs. It draws nothing
// at random: every run writes the same bytes.
package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"github.com/cairnlog/cairn/proofs"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: vectors DIRECTORY")
		os.Exit(2)
	}
	if err := write(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "vectors:", err)
		os.Exit(1)
	}
}

func write(dir string) error {
	for name, vectors := range map[string]any{
		"leaf":       leafVectors(),
		"control":    controlVectors(),
		"act":        actVectors(),
		"part":       partVectors(),
		"split":      splitVectors(),
		"join":       joinVectors(),
		"seal":       sealVectors(),
		"tags":       tagsVectors(),
		"record":     recordVectors(),
		"disclosure": disclosureVectors(),

		"directory":      directoryVectors(),
		"showndirectory": shownDirectoryVectors(),
		"search":         searchVectors(),
		"attestation":    attestationVectors(),

		"inclusion":   inclusionVectors(),
		"consistency": consistencyVectors(),
		"subset":      subsetVectors(),
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

func ok() verdict { return verdict{Verdict: "ok"} }

func malformed(why string) verdict { return verdict{"reject", "malformed", why} }

func notVerified(why string) verdict { return verdict{"reject", "does not verify", why} }

// hexBytes are written in lower-case hexadecimal.
type hexBytes []byte

func (b hexBytes) MarshalText() ([]byte, error) { return []byte(hex.EncodeToString(b)), nil }

// secret returns the 32-byte secret of a name.
func secret(name string) proofs.Key256 { return sha256.Sum256([]byte("cairn test vector " + name)) }

// must returns v, or panics: what the vectors are made from is well formed.
func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// changed returns b with the byte at i replaced.
func changed(b []byte, i int, to byte) []byte {
	b = bytes.Clone(b)
	if b[i] == to {
		panic("the byte has that value already")
	}
	b[i] = to
	return b
}

// flipped returns b with the lowest bit of the byte at i flipped; negative i
// counts from the end.
func flipped(b []byte, i int) []byte {
	if i < 0 {
		i += len(b)
	}
	return changed(b, i, b[i]^1)
}

// join concatenates.
func join(parts ...[]byte) []byte { return bytes.Join(parts, nil) }
