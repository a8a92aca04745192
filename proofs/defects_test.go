package proofs_test

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"testing"

	flog "github.com/transparency-dev/formats/log"
	fnote "github.com/transparency-dev/formats/note"
	fproof "github.com/transparency-dev/formats/proof"
	fwitness "github.com/transparency-dev/formats/witness"
	"golang.org/x/mod/sumdb/note"

	"github.com/cairnlog/cairn/proofs"
)

// What the libraries of the field let pass, and we do not. Where the library
// is one that we build on, the test also asks it: if it has been repaired, the
// test's log says so.

// A defect is an input that a library takes and that is wrong.
type defect struct {
	name    string
	input   string
	library func(input string) error // nil where it is not among our modules
	ours    func(input string) error
}

func testDefects(t *testing.T, defects []defect) {
	t.Helper()
	for _, d := range defects {
		t.Run(d.name, func(t *testing.T) {
			if d.library != nil {
				if err := d.library(d.input); err != nil {
					t.Logf("the library has been repaired: %v", err)
				}
			}
			if err := d.ours(d.input); !errors.Is(err, proofs.ErrMalformed) && !errors.Is(err, proofs.ErrNotVerified) {
				t.Errorf("error %v, want ErrMalformed or ErrNotVerified", err)
			}
		})
	}
}

func TestLaxCheckpointsOfFormatsAndTorchwoodAreRefused(t *testing.T) {
	library := func(text string) error {
		_, err := new(flog.Checkpoint).Unmarshal([]byte(text))
		return err
	}
	ours := func(text string) error {
		_, err := proofs.ParseCheckpoint(text)
		return err
	}
	root := proofs.EmptyRoot().String()
	testDefects(t, []defect{
		{"formats: a size with a leading zero", lines(testOrigin, "010", root), library, ours},
		{"formats: a root of three bytes", lines(testOrigin, "1", "AAAA"), library, ours},
		{"formats: an empty root", lines(testOrigin, "1", ""), library, ours},
		{"formats: an empty extension line", lines(testOrigin, "1", root, "a", "", "b"), library, ours},
		{"formats: an unterminated last line", lines(testOrigin, "1", root) + "a", library, ours},
		{"formats: a size of 2^64-1", lines(testOrigin, "18446744073709551615", root), library, ours},
		{"torchwood: an empty origin", lines("", "1", root), nil, ours},
	})
}

func TestUncheckedKeyIDsOfFormatsAreRefused(t *testing.T) {
	zeroID := func(typ proofs.KeyType) string {
		k := seededKey("w.example", typ).Key()
		return strings.Replace(k.String(), fmt.Sprintf("%08x", k.ID()), "00000000", 1)
	}
	ours := func(vkey string) error {
		_, err := proofs.ParseKey(vkey)
		return err
	}
	testDefects(t, []defect{
		{"formats: NewVerifierForCosignatureV1 takes key ID 0", zeroID(proofs.Ed25519Cosignature),
			func(vkey string) error { _, err := fnote.NewVerifierForCosignatureV1(vkey); return err }, ours},
		{"formats: NewMLDSAVerifier takes key ID 0", zeroID(proofs.MLDSA44),
			func(vkey string) error { _, err := fnote.NewMLDSAVerifier(vkey); return err }, ours},
	})
}

// The signature over an origin of 300 bytes is one over the length 44.
func TestWrappedOriginsOfFormatsAreRefused(t *testing.T) {
	k := seededKey("w.example", proofs.MLDSA44)
	signer := must(fnote.NewMLDSASigner(k.Secret()))
	root := proofs.EmptyRoot()
	origin := strings.Repeat("o", 300)
	signature, err := signer.SignSubtree(testTime, origin, 0, 1, root[:])
	if err != nil {
		t.Logf("the library has been repaired: %v", err)
	}
	text := lines(origin, "1", root.String())
	s := proofs.Signature{Name: k.Key().Name(), KeyID: k.Key().ID(), Bytes: signature}
	if _, err := k.Key().CheckSignature(text, s); !errors.Is(err, proofs.ErrNotVerified) {
		t.Errorf("CheckSignature: error %v, want ErrNotVerified", err)
	}
	if s, err := k.SignCheckpoint(text, testTime); err == nil {
		t.Errorf("SignCheckpoint = %v, want an error", s)
	}
}

// An ML-DSA-44 signature made beside one extension line verifies beside
// another, and under a size that is written otherwise.
func TestUnsignedTextOfFormatsMLDSAIsRefused(t *testing.T) {
	k := seededKey("w.example", proofs.MLDSA44)
	text := checkpointText(7)
	s := refSign(k, text, testTime)
	library := func(text string) error {
		v := must(fnote.NewMLDSAVerifier(k.Key().String()))
		if !v.Verify([]byte(text), s.Bytes) {
			return errors.New("does not verify")
		}
		return nil
	}
	ours := func(text string) error {
		_, err := k.Key().CheckSignature(text, s)
		return err
	}
	testDefects(t, []defect{
		{"formats: an extension line that was not signed", text + "extension\n", library, ours},
		{"formats: another extension line", text + "another\n", library, ours},
		{"formats: the size 07", strings.Replace(text, "\n7\n", "\n07\n", 1), library, ours},
	})
	if err := ours(text); err != nil {
		t.Errorf("the signed text: %v", err)
	}
}

// NewRFC6962Verifier panics on a signature of 8 to 11 bytes by its key. We do
// not take such keys, and signatures of any size by those we do take.
func TestShortSignaturesDoNotPanicAsInFormats(t *testing.T) {
	material := append([]byte{0x05}, make([]byte, 91)...)
	vkey := fmt.Sprintf("a+%08x+%s", refKeyID("a", 0x05, material[1:]), base64.StdEncoding.EncodeToString(material))
	if k, err := proofs.ParseKey(vkey); !errors.Is(err, proofs.ErrMalformed) {
		t.Errorf("ParseKey = %v, %v; want ErrMalformed", k, err)
	}
	text := checkpointText(7)
	for _, typ := range keyTypes {
		k := seededKey("w.example", typ)
		p := &proofs.Policy{Logs: []proofs.PolicyLog{{Key: k.Key()}}, Quorum: proofs.NoQuorum}
		for size := 1; size <= 80; size++ {
			s := proofs.Signature{Name: k.Key().Name(), KeyID: k.Key().ID(), Bytes: make([]byte, size)}
			if _, err := k.Key().CheckSignature(text, s); !errors.Is(err, proofs.ErrNotVerified) {
				t.Errorf("%v, %d bytes: error %v, want ErrNotVerified", typ, size, err)
			}
			signed := proofs.FormatNote(proofs.Note{Text: text, Signatures: []proofs.Signature{s}})
			if _, err := p.Check(signed); !errors.Is(err, proofs.ErrNotVerified) {
				t.Errorf("%v, %d bytes in a checkpoint: error %v, want ErrNotVerified", typ, size, err)
			}
		}
	}
}

func TestLaxReceiptsOfFormatsAreRefused(t *testing.T) {
	good := string(must(proofs.FormatReceipt(testReceipt(3, seededKey(testOrigin, proofs.Ed25519)))))
	library := func(b string) error { return new(fproof.TLogProof).Unmarshal([]byte(b)) }
	ours := func(b string) error {
		_, err := proofs.ParseReceipt([]byte(b))
		return err
	}
	hash := proofs.EmptyRoot().String() + "\n"
	head := good[:strings.Index(good, "\n\n")+1]
	testDefects(t, []defect{
		{"formats: the index 007", strings.Replace(good, "index 3\n", "index 007\n", 1), library, ours},
		{"formats: lines that end in carriage returns", strings.ReplaceAll(good, "\n", "\r\n"), library, ours},
		{"formats: neither an empty line nor a checkpoint", head, library, ours},
		{"formats: no checkpoint", head + "\n", library, ours},
		{"formats: 200 hashes", strings.Replace(good, "index 3\n", "index 3\n"+strings.Repeat(hash, 200), 1), library, ours},
	})
	large := testReceipt(3, seededKey(testOrigin, proofs.Ed25519))
	large.Extra = bytes.Repeat([]byte("x"), 65535)
	b := must(proofs.FormatReceipt(large))
	if err := library(string(b)); err == nil {
		t.Logf("the library has been repaired: it reads extra data of more than 64 KiB")
	}
	if err := ours(string(b)); err != nil {
		t.Errorf("extra data of 65,535 bytes: %v", err)
	}
}

func TestLaxPoliciesOfFormatsAreRefused(t *testing.T) {
	library := func(b string) error { _, err := fwitness.ParsePolicy([]byte(b)); return err }
	ours := parsesPolicy
	w := strings.ReplaceAll(witnessLines(3), "\n", " https://w.example/\n")
	duplicate := strings.Replace(w, "witness w2 "+witnessKey(2).Key().String(), "witness w2 "+witnessKey(1).Key().String(), 1)
	noteKey := "witness w4 " + seededKey("w4.example", proofs.Ed25519).Key().String() + " https://w.example/\n"
	quorum := "group g any w1\nquorum g\n"
	testDefects(t, []defect{
		{"formats: one key for two witnesses", duplicate + quorum, library, ours},
		{"formats: a member twice", w + "group g 2 w1 w1\nquorum g\n", library, ours},
		{"formats: a member of two groups", w + "group g any w1\ngroup h any w1 w2\nquorum h\n", library, ours},
		{"formats: an empty group of all", w + "group g all\nquorum g\n", library, ours},
		{"formats: the threshold 0", w + "group g 0 w1\nquorum g\n", library, ours},
		{"formats: two quorums", w + quorum + "quorum w2\n", library, ours},
		{"formats: carriage returns", strings.ReplaceAll(w+quorum, "\n", "\r\n"), library, ours},
		{"formats: a no-break space between words", strings.Replace(w+quorum, "quorum ", "quorum\u00a0", 1), library, ours},
		{"formats: control characters", strings.Replace(w+quorum, "quorum ", "quorum\v", 1), library, ours},
		{"formats: a key for notes as a witness's", noteKey + "quorum w4\n", library, ours},
	})
	// And what it should take.
	fragment := must(proofs.ParsePolicy([]byte(strings.ReplaceAll(w, "w.example/", "w.example/#a") + quorum)))
	wantEqual(t, "an address with a fragment", fragment.Witnesses[0].URL, "https://w.example/#a")
	if err := ours(witnessLines(1) + "quorum w1\n"); err != nil {
		t.Errorf("a witness without an address: %v", err)
	}
}

func TestLaxPoliciesOfTorchwoodAreRefused(t *testing.T) {
	w, ours := witnessLines(3), parsesPolicy
	testDefects(t, []defect{
		{"torchwood: a witness called none", strings.Replace(w, "w1 ", "none ", 1) + "quorum none\n", nil, ours},
		{"torchwood: the threshold +1", w + "group g +1 w1\nquorum g\n", nil, ours},
		{"torchwood: words behind the quorum", w + "quorum w1 w2\n", nil, ours},
		{"torchwood: one public key for two witnesses", w + strings.Replace(witnessLines(1), "w1", "w4", 1) + "quorum w1\n", nil, ours},
		{"torchwood: carriage returns", strings.ReplaceAll(w+"quorum w1\n", "\n", "\r\n"), nil, ours},
		{"torchwood: a no-break space between words", w + "quorum\u00a0w1\n", nil, ours},
	})
}

// torchwood demands the signatures of all logs of a policy, so that one with
// two logs is never met; and v0.9 has no ML-DSA-44 witnesses.
func TestAnyLogOfAPolicyWillDoOtherThanInTorchwood(t *testing.T) {
	other, pq := seededKey("other.example/log", proofs.Ed25519), seededKey("w.example", proofs.MLDSA44)
	p, err := proofs.ParsePolicy([]byte(logLine() + "log " + other.Key().String() + "\nwitness w " + pq.Key().String() + "\nquorum w\n"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.Check(signedBy(checkpointText(7), seededKey(testOrigin, proofs.Ed25519), pq)); err != nil {
		t.Errorf("Check: %v", err)
	}
}

func parsesPolicy(b string) error {
	_, err := proofs.ParsePolicy([]byte(b))
	return err
}

// x/mod stops at 100 signatures and reads one signature of a key only; a
// checkpoint with more of them is within our bound.
func TestMoreSignaturesThanXModReadsAreChecked(t *testing.T) {
	signed := manySigned(110, 64, seededKey(testOrigin, proofs.Ed25519))
	if _, err := note.Open(signed, note.VerifierList()); err == nil {
		t.Error("x/mod reads 110 signatures")
	}
	p := must(proofs.ParsePolicy([]byte(logLine() + "quorum none\n")))
	if _, err := p.Check(signed); err != nil {
		t.Errorf("Check: %v", err)
	}
	// The wrong one comes after a right one by the same key.
	log := seededKey(testOrigin, proofs.Ed25519)
	wrong := proofs.Signature{Name: testOrigin, KeyID: log.Key().ID(), Bytes: binary.BigEndian.AppendUint64(make([]byte, 56), 1)}
	if _, err := p.Check(append(signed, proofs.FormatSignatures([]proofs.Signature{wrong})...)); !errors.Is(err, proofs.ErrNotVerified) {
		t.Errorf("Check of a wrong signature behind a right one: error %v, want ErrNotVerified", err)
	}
}
