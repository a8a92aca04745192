package proofs_test

import (
	"bytes"
	"errors"
	"reflect"
	"strconv"
	"testing"

	"github.com/cairnlog/cairn/proofs"
)

type leafVector struct {
	formatVerdict
	Leaf     hexBytes `json:"leaf"`
	LeafHash hexBytes `json:"leaf_hash"`
	Fields   *struct {
		Kind    uint8  `json:"kind"`
		Word    string `json:"kind_word"`
		Time    string `json:"time"`
		Stream  uint32 `json:"stream"`
		Bucket  uint32 `json:"bucket"`
		Source  *struct{ Number, Sequence string }
		C       hexBytes `json:"c"`
		T       hexBytes `json:"t"`
		Control hexBytes `json:"control"`
	} `json:"fields"`
}

func TestLeafVectors(t *testing.T) {
	for _, v := range readFormatVectors[leafVector](t, "leaf") {
		t.Run(v.Name, func(t *testing.T) {
			got, err := proofs.ParseLeaf(v.Leaf)
			v.hold(t, err)
			if v.Verdict != "ok" {
				return
			}
			want := proofs.Leaf{
				Kind: proofs.Kind(v.Fields.Kind), Time: parseUint(t, v.Fields.Time), Stream: v.Fields.Stream,
				Bucket: v.Fields.Bucket, C: proofs.Hash(v.Fields.C), T: proofs.Hash(v.Fields.T), Control: v.Fields.Control,
			}
			if s := v.Fields.Source; s != nil {
				want.Source = &proofs.LeafSource{Number: parseUint(t, s.Number), Sequence: parseUint(t, s.Sequence)}
			}
			if !reflect.DeepEqual(got, want) {
				t.Errorf("got %+v, want %+v", got, want)
			}
			if got.Kind.String() != v.Fields.Word {
				t.Errorf("kind: got %s, want %s", got.Kind, v.Fields.Word)
			}
			if again, err := proofs.FormatLeaf(want); err != nil || !bytes.Equal(again, v.Leaf) {
				t.Errorf("format: got %x, %v, want %x", again, err, v.Leaf)
			}
			if hash := proofs.LeafHash(v.Leaf); !bytes.Equal(hash[:], v.LeafHash) {
				t.Errorf("leaf hash: got %x, want %x", hash, v.LeafHash)
			}
		})
	}
}

func parseUint(t *testing.T, s string) uint64 {
	t.Helper()
	n, err := strconv.ParseUint(s, 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestFormatLeafRefusesWhatDoesNotParse(t *testing.T) {
	for _, test := range []struct {
		name string
		leaf proofs.Leaf
	}{
		{"an event in stream 0", proofs.Leaf{Bucket: 1}},
		{"an event in bucket 0", proofs.Leaf{Stream: 1}},
		{"an event with a control body", proofs.Leaf{Stream: 1, Bucket: 1, Control: []byte("x")}},
		{"a control entry in a stream", proofs.Leaf{Kind: proofs.Hold, Stream: 1}},
		{"a control entry with a source", proofs.Leaf{Kind: proofs.Hold, Source: &proofs.LeafSource{}}},
		{"a control body that is one byte too long", proofs.Leaf{Kind: proofs.Hold, Control: make([]byte, proofs.MaxControl+1)}},
		{"a kind after the last", proofs.Leaf{Kind: proofs.Closed + 1}},
		{"a time of 2^63", proofs.Leaf{Stream: 1, Bucket: 1, Time: 1 << 63}},
	} {
		t.Run(test.name, func(t *testing.T) {
			if b, err := proofs.FormatLeaf(test.leaf); !errors.Is(err, proofs.ErrMalformed) {
				t.Errorf("got %d bytes and error %v, want %v", len(b), err, proofs.ErrMalformed)
			}
		})
	}
}

func TestTheLargestLeafFitsAnEntryBundle(t *testing.T) {
	b, err := proofs.FormatLeaf(proofs.Leaf{Kind: proofs.Directory, Control: make([]byte, proofs.MaxControl)})
	if err != nil || len(b) > proofs.MaxLeafSize {
		t.Fatalf("got %d bytes and error %v, want at most %d", len(b), err, proofs.MaxLeafSize)
	}
	if l, err := proofs.ParseLeaf(b); err != nil || len(l.Control) != proofs.MaxControl {
		t.Errorf("got a body of %d bytes and error %v, want %d", len(l.Control), err, proofs.MaxControl)
	}
	if _, err := proofs.ParseLeaf(make([]byte, proofs.MaxLeafSize+1)); !errors.Is(err, proofs.ErrMalformed) {
		t.Errorf("65,536 bytes: got error %v, want %v", err, proofs.ErrMalformed)
	}
}

func TestAppendLeafKeepsWhatIsThere(t *testing.T) {
	leaf := proofs.Leaf{Stream: 1, Bucket: 1, Source: &proofs.LeafSource{Number: 7, Sequence: 8}}
	want, err := proofs.FormatLeaf(leaf)
	if err != nil {
		t.Fatal(err)
	}
	got, err := proofs.AppendLeaf([]byte("before"), leaf)
	if err != nil || !bytes.Equal(got, append([]byte("before"), want...)) {
		t.Errorf("got %x, %v, want %x after what was there", got, err, want)
	}
}

func TestAnUnknownKindIsShownByItsNumber(t *testing.T) {
	if got := proofs.Kind(200).String(); got != "kind-200" {
		t.Errorf("got %s, want kind-200", got)
	}
}

func FuzzLeaf(f *testing.F) {
	for _, v := range readFormatVectors[leafVector](f, "leaf") {
		f.Add([]byte(v.Leaf))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		l, err := proofs.ParseLeaf(b)
		if err != nil {
			if !errors.Is(err, proofs.ErrMalformed) {
				t.Fatalf("got error %v, want %v", err, proofs.ErrMalformed)
			}
			return
		}
		if again, err := proofs.FormatLeaf(l); err != nil || !bytes.Equal(again, b) {
			t.Fatalf("got %x, %v, want %x", again, err, b)
		}
	})
}
