package proofs_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"unicode/utf8"

	"github.com/cairnlog/cairn/proofs"
)

// The vectors of the C2SP formats: an array of rows, each with a name that is
// a sentence, inputs, a verdict and, for what is refused, the kind of error
// and the reason. They are written here, with signatures that come out the
// same every time, and judged as they are read back from their files.

//go:generate env CAIRN_WRITE_VECTORS=1 go test -count=1 -run ^TestC2SPVectors$ .

// A title begins every row and a verdict ends it.
type title struct {
	Name string `json:"name"`
}

type verdict struct {
	Verdict string `json:"verdict"`         // ok or reject
	Error   string `json:"error,omitempty"` // of what is refused: malformed, or does not verify
	Why     string `json:"why,omitempty"`
}

func accept() verdict { return verdict{Verdict: "ok"} }

func malformed(why string) verdict { return verdict{"reject", proofs.ErrMalformed.Error(), why} }

func notVerified(why string) verdict { return verdict{"reject", proofs.ErrNotVerified.Error(), why} }

// octets are a JSON string, or {"hex": "…"} where they are not UTF-8.
type octets string

func (o octets) MarshalJSON() ([]byte, error) {
	if utf8.ValidString(string(o)) {
		return marshal(string(o))
	}
	return marshal(map[string]string{"hex": hex.EncodeToString([]byte(o))})
}

func (o *octets) UnmarshalJSON(b []byte) error {
	if b[0] != '{' {
		return json.Unmarshal(b, (*string)(o))
	}
	var h struct{ Hex string }
	if err := json.Unmarshal(b, &h); err != nil {
		return err
	}
	raw, err := hex.DecodeString(h.Hex)
	*o = octets(raw)
	return err
}

// marshal leaves &, < and > as they are.
func marshal(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	err := enc.Encode(v)
	return b.Bytes(), err
}

func (n title) name() string { return n.Name }

func (v verdict) want() verdict { return v }

type row interface {
	name() string
	want() verdict
	// judge hands the inputs to the package and compares what it makes of
	// them with the row.
	judge(t *testing.T) error
}

func TestC2SPVectors(t *testing.T) {
	testVectors(t, "key", keyVectors())
	testVectors(t, "note", noteVectors())
	testVectors(t, "checkpoint", checkpointVectors())
	testVectors(t, "cosignature", cosignatureVectors())
	testVectors(t, "policy", policyVectors())
	testVectors(t, "receipt", receiptVectors())
}

// testVectors holds the file of a topic to the rows as they are made, and the
// package to the rows of the file.
func testVectors[R row](t *testing.T, topic string, rows []R) {
	path := filepath.Join("..", "testdata", "vectors", topic+".json")
	want := must(marshal(rows))
	if os.Getenv("CAIRN_WRITE_VECTORS") != "" {
		if err := os.WriteFile(path, want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(b, want) {
		t.Errorf("%s is not what its rows make: run go generate", path)
	}
	var read []R
	if err := json.Unmarshal(b, &read); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	for _, r := range read {
		t.Run(topic+"/"+r.name(), func(t *testing.T) {
			got, want := accept(), r.want()
			if err := r.judge(t); errors.Is(err, proofs.ErrNotVerified) {
				got = notVerified(err.Error())
			} else if err != nil {
				got = malformed(err.Error())
			}
			if got.Verdict != want.Verdict || got.Error != want.Error {
				t.Errorf("got %+v, want %+v", got, want)
			}
		})
	}
}
