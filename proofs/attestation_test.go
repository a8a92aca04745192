package proofs_test

import (
	"bytes"
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/cairnlog/cairn/proofs"
)

type attestationVector struct {
	formatVerdict
	Key    string
	Note   string
	Fields struct {
		Origin      string
		Size, Time  uint64 `json:",string"`
		Root        hexBytes
		Directories []struct {
			Segment struct {
				Large  bool
				Number uint64 `json:",string"`
			}
			Hash hexBytes
		}
	}
}

func TestAttestationVectors(t *testing.T) {
	for _, v := range readFormatVectors[attestationVector](t, "attestation") {
		t.Run(v.Name, func(t *testing.T) {
			got, err := must(proofs.ParseKey(v.Key)).CheckAttestation([]byte(v.Note))
			v.hold(t, err)
			if v.Verdict != "ok" {
				return
			}
			want := proofs.Attestation{Origin: v.Fields.Origin, Size: v.Fields.Size, Root: proofs.Hash(v.Fields.Root), Time: v.Fields.Time}
			for _, d := range v.Fields.Directories {
				want.Directories = append(want.Directories, proofs.MadeDirectory{Segment: proofs.SegmentID(d.Segment), Hash: proofs.Hash(d.Hash)})
			}
			if !reflect.DeepEqual(got, want) {
				t.Errorf("got %+v, want %+v", got, want)
			}
			text, _, _ := strings.Cut(v.Note, "\n\n")
			if again, err := proofs.FormatAttestation(got); err != nil || again != text+"\n" {
				t.Errorf("format: got %q, %v", again, err)
			}
		})
	}
}

func TestAnAttestationCoversDirectoriesAsTheyWere(t *testing.T) {
	id, large := proofs.SegmentID{Number: 3}, proofs.SegmentID{Large: true}
	a := proofs.Attestation{Origin: "log", Size: 1 << 20, Directories: []proofs.MadeDirectory{{Segment: id, Hash: proofs.Hash{1}}, {Segment: large, Hash: proofs.Hash{2}}}}
	verdict := func(origin string, made ...proofs.MadeDirectory) (v proofs.SearchVerdict) {
		v.Checkpoint.Origin, v.Directories = origin, made
		return v
	}
	for what, c := range map[string]struct {
		v    proofs.SearchVerdict
		want bool
	}{
		"both":                               {verdict("log", a.Directories...), true},
		"none":                               {verdict("log"), true},
		"one that is amended":                {verdict("log", proofs.MadeDirectory{Segment: id, Hash: proofs.Hash{9}}), false},
		"one that was not audited":           {verdict("log", a.Directories[0], proofs.MadeDirectory{Segment: proofs.SegmentID{Number: 4}, Hash: proofs.Hash{1}}), false},
		"a large one with a small one's":     {verdict("log", proofs.MadeDirectory{Segment: large, Hash: proofs.Hash{1}}), false},
		"the same directories of other logs": {verdict("other", a.Directories...), false},
	} {
		if got := a.Covers(c.v); got != c.want {
			t.Errorf("%s: covered %v, want %v", what, got, c.want)
		}
	}
}

func TestWhatSignsAttestations(t *testing.T) {
	for _, typ := range []proofs.KeyType{proofs.Ed25519Cosignature, proofs.MLDSA44} {
		key := must(proofs.GenerateKey("auditor", typ, bytes.NewReader(make([]byte, 32))))
		if note, err := key.SignAttestation(proofs.Attestation{Origin: "log"}); err == nil {
			t.Errorf("%v: got %s", typ, note)
		}
	}
	key := must(proofs.GenerateKey("auditor", proofs.Ed25519, bytes.NewReader(make([]byte, 32))))
	for what, a := range map[string]proofs.Attestation{
		"an origin of two lines":  {Origin: "log\nlog"},
		"no origin":               {},
		"a directory too many":    {Origin: "log", Size: 4095, Directories: []proofs.MadeDirectory{{}}},
		"more than a note can be": {Origin: "log", Size: 1 << 40, Directories: manyDirectories(20_000)},
	} {
		if note, err := key.SignAttestation(a); !errors.Is(err, proofs.ErrMalformed) {
			t.Errorf("%s: got %.100s, %v", what, note, err)
		}
	}
	note := must(key.SignAttestation(proofs.Attestation{Origin: "log", Size: 1 << 40, Directories: manyDirectories(15_000)}))
	if a := must(key.Key().CheckAttestation(note)); len(a.Directories) != 15_000 {
		t.Errorf("got %d directories", len(a.Directories))
	}
	other := must(proofs.GenerateKey("auditor", proofs.Ed25519, bytes.NewReader(bytes.Repeat([]byte{1}, 32))))
	if _, err := other.Key().CheckAttestation(note); !errors.Is(err, proofs.ErrNotVerified) {
		t.Errorf("by another key: got %v", err)
	}
	if _, err := proofs.ParseCheckpoint(strings.SplitAfter(string(note), "\n\n")[0]); err == nil {
		t.Error("it is a checkpoint, too")
	}
}

func manyDirectories(n uint64) (list []proofs.MadeDirectory) {
	for i := range n {
		list = append(list, proofs.MadeDirectory{Segment: proofs.SegmentID{Number: i}})
	}
	return list
}

func FuzzParseAttestation(f *testing.F) {
	for _, v := range readFormatVectors[attestationVector](f, "attestation") {
		text, _, _ := strings.Cut(v.Note, "\n\n")
		f.Add(text + "\n")
	}
	f.Fuzz(func(t *testing.T, text string) {
		a, err := proofs.ParseAttestation(text)
		if err != nil {
			if !errors.Is(err, proofs.ErrMalformed) {
				t.Fatalf("got error %v, want %v", err, proofs.ErrMalformed)
			}
			return
		}
		if again, err := proofs.FormatAttestation(a); err != nil || again != text {
			t.Fatalf("got %q, %v, want %q", again, err, text)
		}
	})
}
