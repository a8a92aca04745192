package proofs_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	flog "github.com/transparency-dev/formats/log"

	"github.com/cairnlog/cairn/proofs"
)

func TestCheckpointsThatCannotBeReadAreNotWritten(t *testing.T) {
	good := proofs.Checkpoint{Origin: testOrigin, Size: 7}
	for name, change := range map[string]func(c *proofs.Checkpoint){
		"an empty origin":                  func(c *proofs.Checkpoint) { c.Origin = "" },
		"a newline in the origin":          func(c *proofs.Checkpoint) { c.Origin = "a\n8" },
		"a tab in the origin":              func(c *proofs.Checkpoint) { c.Origin = "a\tb" },
		"an origin that is not UTF-8":      func(c *proofs.Checkpoint) { c.Origin = "\xff" },
		"a size of 2^63":                   func(c *proofs.Checkpoint) { c.Size = 1 << 63 },
		"an empty extension line":          func(c *proofs.Checkpoint) { c.Extensions = []string{""} },
		"a newline in an extension line":   func(c *proofs.Checkpoint) { c.Extensions = []string{"a\nb"} },
		"a newline after an extension":     func(c *proofs.Checkpoint) { c.Extensions = []string{"a\n"} },
		"a control character in extension": func(c *proofs.Checkpoint) { c.Extensions = []string{"a", "\r"} },
	} {
		c := good
		change(&c)
		if text, err := proofs.FormatCheckpoint(c); !errors.Is(err, proofs.ErrMalformed) {
			t.Errorf("%s: got %q, %v; want ErrMalformed", name, text, err)
		}
	}
	if _, err := proofs.FormatCheckpoint(good); err != nil {
		t.Errorf("the unchanged checkpoint: %v", err)
	}
}

func TestCosignaturesAreAddedBehindTheOthers(t *testing.T) {
	signed := signedBy(checkpointText(7), seededKey(testOrigin, proofs.Ed25519))
	c, err := proofs.ParseSignedCheckpoint(signed)
	if err != nil {
		t.Fatal(err)
	}
	wantEqual(t, "size", c.Size, 7)
	added := refSign(witnessKey(1), c.Note.Text, testTime)
	c.Note.Signatures = append(c.Note.Signatures, added)
	want := append(bytes.Clone(signed), proofs.FormatSignatures([]proofs.Signature{added})...)
	wantEqual(t, "checkpoint", string(proofs.FormatSignedCheckpoint(c)), string(want))
}

func TestSignedCheckpointsAreNotesAndCheckpoints(t *testing.T) {
	signed := string(signedBy(checkpointText(7), seededKey(testOrigin, proofs.Ed25519)))
	for name, b := range map[string]string{
		"no signature":                strings.SplitAfter(signed, "\n\n")[0],
		"an empty line in its text":   strings.Replace(signed, "\n7\n", "\n7\n\n", 1),
		"a size with a leading zero":  strings.Replace(signed, "\n7\n", "\n07\n", 1),
		"another note in front of it": "a\n\n— k AAAAAAA=\n" + signed,
	} {
		if c, err := proofs.ParseSignedCheckpoint([]byte(b)); !errors.Is(err, proofs.ErrMalformed) {
			t.Errorf("%s: got %v, %v; want ErrMalformed", name, c, err)
		}
	}
}

func FuzzParseCheckpoint(f *testing.F) {
	for _, v := range checkpointVectors() {
		f.Add(string(v.Text))
	}
	f.Fuzz(func(t *testing.T, text string) {
		c, err := proofs.ParseCheckpoint(text)
		if err != nil {
			if !errors.Is(err, proofs.ErrMalformed) {
				t.Fatalf("error %v, want ErrMalformed", err)
			}
			return
		}
		if got, err := proofs.FormatCheckpoint(c); err != nil || got != text {
			t.Fatalf("formats as %q, %v; want %q", got, err, text)
		}
		// What we read, transparency-dev/formats reads too, and the same.
		var peer flog.Checkpoint
		rest, err := peer.Unmarshal([]byte(text))
		extensions := strings.Join(append(c.Extensions, ""), "\n")
		if err != nil || peer.Origin != c.Origin || peer.Size != c.Size || !bytes.Equal(peer.Hash, c.Root[:]) || string(rest) != extensions {
			t.Fatalf("formats reads %v, %q, %v; we read %v", peer, rest, err, c)
		}
	})
}

func FuzzParseSignedCheckpoint(f *testing.F) {
	f.Add(signedBy(checkpointText(7), seededKey(testOrigin, proofs.Ed25519), witnessKey(1)))
	f.Add(signedBy(checkpointText(0)+"extension\n", seededKey(testOrigin, proofs.Ed25519)))
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := proofs.ParseSignedCheckpoint(b)
		if err != nil {
			return
		}
		if got := proofs.FormatSignedCheckpoint(c); !bytes.Equal(got, b) {
			t.Fatalf("formats as %q, want %q", got, b)
		}
		if text, err := proofs.FormatCheckpoint(c.Checkpoint); err != nil || text != c.Note.Text {
			t.Fatalf("its checkpoint formats as %q, %v; want %q", text, err, c.Note.Text)
		}
	})
}
