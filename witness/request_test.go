package witness_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/cairnlog/cairn/proofs"
	"github.com/cairnlog/cairn/witness"
)

// specRequest is the example of C2SP tlog-witness.
const specRequest = `old 20852014
PlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw=
jrJZDmY8Y7SyJE0MWLpLozkIVMSMZcD5kvuKxPC3swk=
5+pKlUdi2LeF/BcMHBn+Ku6yhPGNCswZZD1X/6QgPd8=
/6WVhPs2CwSsb5rYBH5cjHV/wSmA79abXAwhXw3Kj/0=

example.com/behind-the-sofa
20852163
CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=

— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=
— example.com/behind-the-sofa opLqBQsREYCgu6xQkYQwJr9fo45a62DN9EdmHXnZdXNqlcVGlCum2Wks+49/V6267UEjw6QUXTS5Rovnzv++qbSzm9Q=
`

func TestParseRequestOfTheSpecification(t *testing.T) {
	r, err := witness.ParseRequest([]byte(specRequest))
	must(t, err)
	if r.Old != 20852014 || len(r.Proof) != 4 || r.Proof[3].String() != "/6WVhPs2CwSsb5rYBH5cjHV/wSmA79abXAwhXw3Kj/0=" {
		t.Errorf("old size %d, proof %v", r.Old, r.Proof)
	}
	c, err := proofs.ParseSignedCheckpoint(r.Checkpoint)
	if err != nil || c.Size != 20852163 {
		t.Errorf("checkpoint of size %d, %v", c.Size, err)
	}
	if got := witness.FormatRequest(r); string(got) != specRequest {
		t.Errorf("formatted again:\n%s", got)
	}
}

func TestParseRequestRefuses(t *testing.T) {
	hash := proofs.EmptyRoot().String() + "\n"
	for name, body := range map[string]string{
		"nothing":                            "",
		"no empty line":                      "old 1\n" + hash,
		"no old size":                        hash + "\nx",
		"an old size in upper case":          "OLD 1\n\nx",
		"an old size without a number":       "old\n\nx",
		"an old size with an empty number":   "old \n\nx",
		"two spaces before the old size":     "old  1\n\nx",
		"a space after the old size":         "old 1 \n\nx",
		"a leading zero":                     "old 01\n\nx",
		"zero written as 00":                 "old 00\n\nx",
		"a sign":                             "old +1\n\nx",
		"a negative size":                    "old -1\n\nx",
		"a hexadecimal size":                 "old 0x1\n\nx",
		"a size above 2^63-1":                "old 9223372036854775808\n\nx",
		"a size above 2^64-1":                "old 18446744073709551616\n\nx",
		"lines that end in CRLF":             "old 1\r\n\r\nx",
		"a proof line that is no base64":     "old 1\n!\n\nx",
		"a proof line of 31 bytes":           "old 1\n" + strings.Repeat("A", 42) + "==\n\nx",
		"a proof line without padding":       "old 1\n" + strings.TrimSuffix(hash, "=\n") + "\n\nx",
		"a proof line with stray bits":       "old 1\n" + strings.Repeat("A", 42) + "B=\n\nx",
		"a proof line with a space":          "old 1\n " + hash + "\nx",
		"64 proof lines":                     "old 1\n" + strings.Repeat(hash, 64) + "\nx",
		"more bytes than are ever necessary": "old 1\n\n" + strings.Repeat("x", witness.MaxRequest),
	} {
		if r, err := witness.ParseRequest([]byte(body)); !errors.Is(err, proofs.ErrMalformed) {
			t.Errorf("%s: %v, %v, want an error that it is malformed", name, r, err)
		}
	}
}

func FuzzParseRequest(f *testing.F) {
	f.Add([]byte(specRequest))
	f.Add([]byte("old 0\n\n"))
	f.Add([]byte("old 9223372036854775807\n" + proofs.EmptyRoot().String() + "\n\n\n\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := witness.ParseRequest(b)
		if err != nil {
			if !errors.Is(err, proofs.ErrMalformed) {
				t.Errorf("error %v is not one of malformed input", err)
			}
			return
		}
		if len(r.Proof) > witness.MaxProof {
			t.Errorf("%d hashes", len(r.Proof))
		}
		if got := witness.FormatRequest(r); !bytes.Equal(got, b) {
			t.Errorf("formatted again: %q, was %q", got, b)
		}
	})
}
