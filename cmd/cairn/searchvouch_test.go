package main

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cairnlog/cairn/proofs"
)

// TestWhoseWordCountsForDirectories: of an auditor who is believed, about this log,
// and about its directories as they are.
func TestWhoseWordCountsForDirectories(t *testing.T) {
	key := func(b byte) proofs.SigningKey {
		k, err := proofs.GenerateKey("auditor.example", proofs.Ed25519, bytes.NewReader(bytes.Repeat([]byte{b}, 32)))
		if err != nil {
			t.Fatal(err)
		}
		return k
	}
	auditor, stranger := key(1), key(2)
	made := proofs.MadeDirectory{Segment: proofs.SegmentID{Number: 3}, Hash: proofs.Hash{7}}
	amended := proofs.MadeDirectory{Segment: made.Segment, Hash: proofs.Hash{8}}
	attests := func(k proofs.SigningKey, origin string, made ...proofs.MadeDirectory) []byte {
		note, err := k.SignAttestation(proofs.Attestation{Origin: origin, Size: 20_000, Directories: made})
		if err != nil {
			t.Fatal(err)
		}
		return note
	}
	changed := bytes.Replace(attests(auditor, "log.example/b", made), []byte("log.example/b"), []byte("log.example/a"), 1)
	for what, c := range map[string]struct {
		notes [][]byte
		want  string
		says  string
	}{
		"nobody's":                          {nil, "", ""},
		"the auditor's":                     {[][]byte{attests(auditor, "log.example/a", made)}, "audited to 20000 by auditor.example+", ""},
		"the second":                        {[][]byte{attests(auditor, "log.example/a", amended), attests(auditor, "log.example/a", made)}, "audited to 20000 by auditor.example+", ""},
		"of another log":                    {[][]byte{attests(auditor, "log.example/b", made)}, "", ""},
		"of a directory that was amended":   {[][]byte{attests(auditor, "log.example/a", amended)}, "", ""},
		"of other directories":              {[][]byte{attests(auditor, "log.example/a")}, "", ""},
		"by an unknown key of the name":     {[][]byte{attests(stranger, "log.example/a", made)}, "", "does not count: no auditor who is believed has signed it"},
		"of another log, and changed since": {[][]byte{changed}, "", "does not count: no auditor who is believed has signed it"},
	} {
		o := vouchFlags{auditors: []string{auditor.Key().String()}}
		for i, note := range c.notes {
			name := filepath.Join(t.TempDir(), string(rune('a'+i)))
			if err := os.WriteFile(name, note, 0o600); err != nil {
				t.Fatal(err)
			}
			o.attestations = append(o.attestations, name)
		}
		var talk bytes.Buffer
		p := newProgram(strings.NewReader(""), &bytes.Buffer{}, &talk)
		words, err := p.vouchers(o)
		if err != nil {
			t.Errorf("%s: %v", what, err)
		}
		a := searchAnswer{verdict: proofs.SearchVerdict{Directories: []proofs.MadeDirectory{made}}}
		a.verdict.Checkpoint.Origin = "log.example/a"
		err = a.vouch(words, true)
		if (c.want != "") != (err == nil) || err != nil && !errors.Is(err, errNotAudited) || !strings.HasPrefix(a.vouched, c.want) || c.want == "" && a.vouched != "" {
			t.Errorf("%s: got %q, %v, want %q", what, a.vouched, err, c.want)
		}
		if err := a.vouch(words, false); err != nil {
			t.Errorf("%s: where it is not required: %v", what, err)
		}
		if !strings.Contains(talk.String(), c.says) || c.says == "" && talk.Len() > 0 {
			t.Errorf("%s: it says %q, want %q", what, talk.String(), c.says)
		}
	}
}
