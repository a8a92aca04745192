package proofs_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/cairnlog/cairn/proofs"
)

type shownDirectoryVector struct {
	formatVerdict
	Bytes hexBytes `json:"bytes"`
	Head  hexBytes `json:"head"`
	Tags  []struct {
		Index uint64 `json:"index,string"`
		Lists []struct {
			Seed, Tags  hexBytes
			Commitments []hexBytes
		} `json:"lists"`
	} `json:"tags"`
	Rows map[uint32][]struct{ Tag, Entries hexBytes } `json:"rows"`
}

// contents writes what a vector says in the same words as contentsOf.
func (v shownDirectoryVector) contents() string {
	var b strings.Builder
	fmt.Fprintf(&b, "head %x\n", v.Head)
	for _, t := range v.Tags {
		fmt.Fprintf(&b, "entry %d\n", t.Index)
		for _, l := range t.Lists {
			fmt.Fprintf(&b, "list %x %x %x\n", l.Seed, l.Tags, l.Commitments)
		}
	}
	for bucket := range uint32(10) {
		for _, r := range v.Rows[bucket] {
			fmt.Fprintf(&b, "row of bucket %d: %x %x\n", bucket, r.Tag, r.Entries)
		}
	}
	return b.String()
}

func contentsOf(s proofs.ShownDirectory) string {
	var b strings.Builder
	fmt.Fprintf(&b, "head %x\n", must(proofs.FormatDirectoryHead(s.Head)))
	for _, t := range s.Tags {
		fmt.Fprintf(&b, "entry %d\n", t.Index)
		for _, l := range t.Lists {
			var commitments []string
			for _, c := range l.Commitments {
				commitments = append(commitments, hex.EncodeToString(c[:]))
			}
			fmt.Fprintf(&b, "list %x %x %s\n", l.Seed, l.Tags, commitments)
		}
	}
	for bucket := range uint32(10) {
		for _, r := range s.Rows[bucket] {
			fmt.Fprintf(&b, "row of bucket %d: %x %x\n", bucket, proofs.AppendTags(nil, []proofs.Tag{r.Tag}), r.Entries[:])
		}
	}
	return b.String()
}

func TestShownDirectoryVectors(t *testing.T) {
	for _, v := range readFormatVectors[shownDirectoryVector](t, "showndirectory") {
		t.Run(v.Name, func(t *testing.T) {
			got, err := proofs.ParseShownDirectory(v.Bytes)
			v.hold(t, err)
			if v.Verdict != "ok" {
				return
			}
			if contentsOf(got) != v.contents() {
				t.Errorf("got\n%swant\n%s", contentsOf(got), v.contents())
			}
			if again, err := proofs.FormatShownDirectory(got); err != nil || !bytes.Equal(again, v.Bytes) {
				t.Errorf("format: got %x, %v, want %x", again, err, v.Bytes)
			}
		})
	}
}

func TestWhatIsShownOfADirectoryFits(t *testing.T) {
	seed := make([]byte, 32)
	tags := proofs.AppendTags(nil, []proofs.Tag{{Field: 1}})
	entry := func(index uint64, lists ...proofs.DisclosedTags) proofs.ShownDirectory {
		return proofs.ShownDirectory{Tags: []proofs.SearchTags{{Index: index, Lists: lists}}}
	}
	for what, s := range map[string]proofs.ShownDirectory{
		"a short seed":                      entry(0, proofs.DisclosedTags{Seed: seed[:31], Tags: tags}),
		"half a tag":                        entry(0, proofs.DisclosedTags{Seed: seed, Tags: tags[:9]}),
		"a list of which nothing is known":  entry(0, proofs.DisclosedTags{}),
		"an entry of another segment":       entry(proofs.SegmentSize, proofs.DisclosedTags{Seed: seed, Tags: tags}),
		"a bucket without rows":             {Rows: map[uint32][]proofs.DirectoryRow{1: {}}},
		"a head whose end is before itself": {Head: proofs.DirectoryHead{FirstTime: 1}},
	} {
		if b, err := proofs.FormatShownDirectory(s); !errors.Is(err, proofs.ErrMalformed) {
			t.Errorf("%s: got %x, %v, want %v", what, b, err, proofs.ErrMalformed)
		}
	}
}

func FuzzParseShownDirectory(f *testing.F) {
	for _, v := range readFormatVectors[shownDirectoryVector](f, "showndirectory") {
		f.Add([]byte(v.Bytes))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := proofs.ParseShownDirectory(b)
		if err != nil {
			if !errors.Is(err, proofs.ErrMalformed) {
				t.Fatalf("got error %v, want %v", err, proofs.ErrMalformed)
			}
			return
		}
		if again, err := proofs.FormatShownDirectory(s); err != nil || !bytes.Equal(again, b) {
			t.Fatalf("got %x, %v, want %x", again, err, b)
		}
	})
}
