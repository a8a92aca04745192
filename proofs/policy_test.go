package proofs_test

import (
	"bytes"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/cairnlog/cairn/proofs"
)

func TestPoliciesOfTheRecommendedSizeAreAccepted(t *testing.T) {
	var b strings.Builder
	for i := range 64 {
		fmt.Fprintf(&b, "log %s\n", seededKey(fmt.Sprintf("log%d.example", i), proofs.MLDSA44).Key())
		fmt.Fprintf(&b, "witness w%d %s\n", i, seededKey(fmt.Sprintf("w%d.example", i), proofs.MLDSA44).Key())
		fmt.Fprintf(&b, "group g%d any w%d", i, i)
		if i > 0 {
			fmt.Fprintf(&b, " g%d", i-1)
		}
		b.WriteByte('\n')
	}
	p, err := proofs.ParsePolicy([]byte(b.String() + "quorum g63\n"))
	if err != nil || len(p.Logs) != 64 || len(p.Witnesses) != 64 || len(p.Groups) != 64 {
		t.Fatalf("got %v, %v; want 64 logs, witnesses and groups", p, err)
	}
	wantEqual(t, "met by the innermost witness", p.Met(map[string]bool{"w0": true}), true)
}

func TestLargePoliciesAreRefusedUnread(t *testing.T) {
	none := "quorum none\n"
	fits := strings.Repeat("#", proofs.MaxPolicySize-len(none)-1) + "\n" + none
	if _, err := proofs.ParsePolicy([]byte(fits)); err != nil {
		t.Errorf("%d bytes: %v", len(fits), err)
	}
	if _, err := proofs.ParsePolicy([]byte("#" + fits)); !errors.Is(err, proofs.ErrMalformed) {
		t.Errorf("%d bytes: error %v, want ErrMalformed", len(fits)+1, err)
	}
}

func TestErrorsOfAPolicyNameTheLine(t *testing.T) {
	for text, want := range map[string]string{
		"# c\n\nwitness w1\n":                      "malformed: policy: line 3: not of the form witness <name> <vkey> [<url>]",
		"quorum none\nlog a+00000000+AQ==\n":       "malformed: policy: line 2: key: public key of 0 bytes, Ed25519 has 32",
		"quorum none\n#\n# b":                      "malformed: policy: line 3: no newline at its end",
		witnessLines(1) + "group g 2 w1\nquorum g": `malformed: policy: line 2: threshold "2" is not all, any or within 1..1`,
		witnessLines(1) + "group g any w2\n":       `malformed: policy: line 2: member "w2" is not defined before`,
		"quorum \x1b[31m\n":                        "malformed: policy: line 1: control character 0x1b",
		"# only a comment\n":                       "malformed: policy: no quorum line",
	} {
		_, err := proofs.ParsePolicy([]byte(text))
		wantEqual(t, text, fmt.Sprint(err), want)
	}
}

func FuzzParsePolicy(f *testing.F) {
	for _, v := range policyVectors() {
		f.Add([]byte(v.Policy))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := proofs.ParsePolicy(b)
		if err != nil {
			if !errors.Is(err, proofs.ErrMalformed) {
				t.Fatalf("error %v, want ErrMalformed", err)
			}
			return
		}
		// The format has comments and free order: one text of many is ours.
		text := proofs.FormatPolicy(p)
		again, err := proofs.ParsePolicy(text)
		if err != nil || !reflect.DeepEqual(again, p) || !bytes.Equal(proofs.FormatPolicy(again), text) {
			t.Fatalf("formats as\n%s: %v", text, err)
		}
		everybody := map[string]bool{}
		for _, w := range p.Witnesses {
			everybody[w.Name] = true
		}
		if !p.Met(everybody) || p.Met(nil) != (p.Quorum == proofs.NoQuorum) {
			t.Fatalf("all witnesses: %v, none: %v, in\n%s", p.Met(everybody), p.Met(nil), text)
		}
	})
}
