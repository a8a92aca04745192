package proofs_test

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/cairnlog/cairn/proofs"
)

// The vectors of Cairn's own formats are written by internal/vectors. The
// tests read them as a program in another language would.

// hexBytes are in hexadecimal in vectors.
type hexBytes []byte

func (b *hexBytes) UnmarshalText(text []byte) (err error) {
	*b, err = hex.DecodeString(string(text))
	return err
}

func (b hexBytes) key(t *testing.T) *proofs.Key256 {
	t.Helper()
	if len(b) != 32 {
		t.Fatalf("a key of %d bytes", len(b))
	}
	return (*proofs.Key256)(b)
}

func (b hexBytes) id(t *testing.T) proofs.EntryID {
	t.Helper()
	if len(b) != 16 {
		t.Fatalf("an entry id of %d bytes", len(b))
	}
	return proofs.EntryID(b)
}

// formatVerdict is what every vector says beside its inputs.
type formatVerdict struct {
	Name    string `json:"name"`
	Verdict string `json:"verdict"`
	Error   string `json:"error"`
	Why     string `json:"why"`
}

func (v formatVerdict) verdict() formatVerdict { return v }

// hold compares the error of a check with the verdict.
func (v formatVerdict) hold(t *testing.T, err error) {
	t.Helper()
	want := map[string]error{"malformed": proofs.ErrMalformed, "does not verify": proofs.ErrNotVerified}[v.Error]
	switch {
	case v.Verdict == "ok" && err != nil:
		t.Errorf("got %v, want ok", err)
	case v.Verdict == "reject" && (err == nil || !errors.Is(err, want)):
		t.Errorf("got error %v, want %v: %s", err, want, v.Why)
	}
}

// readFormatVectors reads a file of vectors and sees that both verdicts occur,
// that every vector has a name of its own and every refusal a reason.
func readFormatVectors[V interface{ verdict() formatVerdict }](t testing.TB, topic string) []V {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("..", "testdata", "vectors", topic+".json"))
	if err != nil {
		t.Fatal(err)
	}
	var vectors []V
	if err := json.Unmarshal(b, &vectors); err != nil {
		t.Fatal(err)
	}
	verdicts, names := map[string]int{}, map[string]bool{}
	for _, v := range vectors {
		v := v.verdict()
		verdicts[v.Verdict]++
		if names[v.Name] || v.Verdict == "reject" && (v.Why == "" || v.Error == "") {
			t.Errorf("%q: its name is not its own, or it has no reason", v.Name)
		}
		names[v.Name] = true
	}
	if len(verdicts) != 2 || verdicts["ok"] == 0 || verdicts["reject"] == 0 {
		t.Fatalf("%s: verdicts: got %v, want ok and reject", topic, verdicts)
	}
	return vectors
}

// eachFlip calls fn with a copy of b for every bit, in which it is flipped.
func eachFlip(b []byte, fn func(bit int, flipped []byte)) {
	for bit := range 8 * len(b) {
		c := append([]byte(nil), b...)
		c[bit/8] ^= 1 << (bit % 8)
		fn(bit, c)
	}
}
