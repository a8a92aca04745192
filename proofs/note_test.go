package proofs_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/note"

	"github.com/cairnlog/cairn/proofs"
)

// manySigned is a checkpoint of the test log with n signatures by unknown
// keys, of the given number of bytes, behind those of the keys.
func manySigned(n, size int, keys ...proofs.SigningKey) []byte {
	b := signedBy(checkpointText(7), keys...)
	for i := range n {
		b = append(b, proofs.FormatSignatures([]proofs.Signature{
			{Name: fmt.Sprintf("w%d.example", i), KeyID: uint32(i), Bytes: make([]byte, size)}})...)
	}
	return b
}

func TestSixteenPostQuantumSignaturesAreAccepted(t *testing.T) {
	n, err := proofs.ParseNote(manySigned(16, 5000))
	if err != nil || len(n.Signatures) != 16 {
		t.Errorf("%d signatures, error %v; want 16 and none", len(n.Signatures), err)
	}
}

func TestSignaturesAreAcceptedUpToTheBoundAndNoFurther(t *testing.T) {
	b := manySigned(proofs.MaxSignatures, 2428)
	n, err := proofs.ParseNote(b)
	if err != nil || len(n.Signatures) != proofs.MaxSignatures || !bytes.Equal(proofs.FormatNote(n), b) {
		t.Errorf("%d signatures, error %v; want %d that come back", len(n.Signatures), err, proofs.MaxSignatures)
	}
	if _, err := proofs.ParseNote(manySigned(proofs.MaxSignatures+1, 64)); !errors.Is(err, proofs.ErrMalformed) {
		t.Errorf("%d signatures: error %v, want ErrMalformed", proofs.MaxSignatures+1, err)
	}
}

func TestLargeNotesAreRefusedUnread(t *testing.T) {
	tail := "\n— a AAAAAAA=\n"
	fits := strings.Repeat("x", proofs.MaxNoteSize-len(tail)-1) + "\n" + tail
	if _, err := proofs.ParseNote([]byte(fits)); err != nil {
		t.Errorf("%d bytes: %v", len(fits), err)
	}
	if _, err := proofs.ParseNote([]byte("x" + fits)); !errors.Is(err, proofs.ErrMalformed) {
		t.Errorf("%d bytes: error %v, want ErrMalformed", len(fits)+1, err)
	}
	if _, err := proofs.ParseSignatures(bytes.Repeat([]byte("x"), proofs.MaxNoteSize+1)); !errors.Is(err, proofs.ErrMalformed) {
		t.Errorf("%d bytes of signatures: error %v, want ErrMalformed", proofs.MaxNoteSize+1, err)
	}
}

func TestAWitnessAnswersWithSignatureLines(t *testing.T) {
	text := checkpointText(7)
	want := []proofs.Signature{
		refSign(seededKey("w.example", proofs.Ed25519Cosignature), text, testTime),
		refSign(seededKey("w.example", proofs.MLDSA44), text, testTime),
	}
	got, err := proofs.ParseSignatures(proofs.FormatSignatures(want))
	if err != nil || fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got %v, %v; want %v", got, err, want)
	}
}

func FuzzParseNote(f *testing.F) {
	for _, v := range noteVectors() {
		f.Add([]byte(v.Note))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		n, err := proofs.ParseNote(b)
		if err != nil {
			if !errors.Is(err, proofs.ErrMalformed) {
				t.Fatalf("error %v, want ErrMalformed", err)
			}
			return
		}
		if got := proofs.FormatNote(n); !bytes.Equal(got, b) {
			t.Fatalf("formats as %q, want %q", got, b)
		}
		if len(n.Signatures) > 100 {
			return // x/mod stops there
		}
		// What we read, x/mod reads too, and the same.
		var unverified *note.UnverifiedNoteError
		if _, err := note.Open(b, nil); !errors.As(err, &unverified) || unverified.Note.Text != n.Text {
			t.Fatalf("x/mod reads %v, we read %q", err, n.Text)
		}
	})
}

func FuzzParseSignatures(f *testing.F) {
	f.Add([]byte("— a AAAAAAA=\n"))
	f.Add(proofs.FormatSignatures([]proofs.Signature{{Name: "é", KeyID: 7, Bytes: []byte("x")}, {Name: "b", Bytes: []byte("yz")}}))
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := proofs.ParseSignatures(b)
		if err != nil {
			return
		}
		if got := proofs.FormatSignatures(s); !bytes.Equal(got, b) {
			t.Fatalf("formats as %q, want %q", got, b)
		}
		if n, err := proofs.ParseNote(append([]byte("text\n\n"), b...)); err != nil {
			t.Fatalf("as those of a note %v: %v", n, err)
		}
	})
}

func FuzzParseKey(f *testing.F) {
	for _, v := range keyVectors() {
		f.Add(v.Key)
	}
	f.Fuzz(func(t *testing.T, vkey string) {
		k, err := proofs.ParseKey(vkey)
		if err != nil {
			if !errors.Is(err, proofs.ErrMalformed) {
				t.Fatalf("error %v, want ErrMalformed", err)
			}
			return
		}
		wantEqual(t, "formats as", k.String(), vkey)
	})
}

func FuzzParseSigningKey(f *testing.F) {
	for _, typ := range keyTypes {
		f.Add(seededKey("example.com/log", typ).Secret())
	}
	f.Fuzz(func(t *testing.T, skey string) {
		k, err := proofs.ParseSigningKey(skey)
		if err != nil {
			if !errors.Is(err, proofs.ErrMalformed) {
				t.Fatalf("error %v, want ErrMalformed", err)
			}
			return
		}
		wantEqual(t, "formats as", k.Secret(), skey)
	})
}
