package evidence_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/cairnlog/cairn/proofs"
	"github.com/cairnlog/cairn/proofs/evidence"
)

// The vectors of evidence files: each with the policy of the verifier, a
// verdict and, for what is refused, the kind of error and the reason; for what
// is not, how many entries show what. What is wrong about single entries only is
// refused too: it is said of entries, and the rest of the file may be right.

//go:generate env CAIRN_WRITE_VECTORS=1 go test -count=1 -run ^TestVectors$ .

type vector struct {
	Name    string           `json:"name"`
	Policy  string           `json:"policy"` // of the verifier
	File    string           `json:"file"`
	Counts  *evidence.Counts `json:"counts,omitempty"`
	Verdict string           `json:"verdict"`         // ok or reject
	Error   string           `json:"error,omitempty"` // of what is refused: malformed, or does not verify
	Why     string           `json:"why,omitempty"`
}

// judge returns the vector with what the package makes of its inputs.
func (v vector) judge() (vector, error) {
	policy, err := proofs.ParsePolicy([]byte(v.Policy))
	if err != nil {
		return v, err
	}
	report, err := evidence.Verify(strings.NewReader(v.File), evidence.Options{Policy: policy})
	switch {
	case errors.Is(err, proofs.ErrMalformed):
		v.Verdict, v.Error = "reject", proofs.ErrMalformed.Error()
	case errors.Is(err, proofs.ErrNotVerified) || err == nil && !report.OK():
		v.Verdict, v.Error = "reject", proofs.ErrNotVerified.Error()
	case err != nil:
		return v, err
	default:
		v.Verdict, v.Counts = "ok", &report.Counts
	}
	return v, nil
}

// makeVector returns the vector of a file, which is refused if there is a reason.
func makeVector(policy, name, why string, file []byte) vector {
	v := must(vector{Name: name, Policy: policy, File: string(file), Why: why}.judge())
	if (v.Verdict == "ok") != (why == "") {
		panic(name + " is " + v.Verdict)
	}
	return v
}

func vectors() []vector {
	l, sound := sampleFile()
	policy := string(proofs.FormatPolicy(l.policy))
	var list []vector
	add := func(name, why string, file []byte) {
		list = append(list, makeVector(policy, name, why, file))
	}
	change := func(name, why string, change func(*file)) {
		f := sound.clone()
		change(&f)
		add(name, why, l.bytes(f))
	}
	whole := l.bytes(sound)
	add("three events, one of them in three parts, with all it takes to compute their tags again", "", whole)
	change("an event whose payload the maker may not read", "", func(f *file) {
		f.entries[0].Disclosure, f.entries[0].FieldKeys, f.entries[0].Missing = nil, nil, evidence.Forbidden
	})
	change("events without context", "", func(f *file) { f.context = nil })
	change("one checkpoint alone", "", func(f *file) { f.checkpoints = f.checkpoints[1:] })
	s := expiredStory()
	add("an event whose bucket expired by the settings of its class", "", s.bytes(s.file(s.context(), s.gone(s.event, s.named...))))
	add("an event that is gone and no entry says why", "the reason is not named", s.bytes(s.file(s.context(), s.gone(s.event))))
	change("a payload that is not the one that was recorded", "the binding is another", func(f *file) { show(&f.entries[0]).Data[2] ^= 1 })
	change("a proof of another entry", "it does not lead to the root", func(f *file) { f.entries[0].Proof = f.entries[1].Proof })
	change("a field key that the log did not commit to", "its hash is not that of the bucket", func(f *file) {
		f.entries[0].FieldKeys = slices.Clone(f.entries[0].FieldKeys)
		f.entries[0].FieldKeys[0].Key = make([]byte, 32)
	})
	change("a last checkpoint without its quorum", "the witness has not cosigned it", func(f *file) { f.checkpoints[1].note = uncosigned(f.checkpoints[1].note) })
	change("two checkpoints of different histories", "the second does not extend the first", func(f *file) {
		f.checkpoints[0] = checkpoint{f.checkpoints[0].size, []byte(forked(l))}
	})
	list = append(list, searchVectors(policy)...)
	lines := linesOf(whole)
	last := len(lines) - 1
	add("a file that is cut before its end", "there is no last line", bytes.Join(lines[:last], nil))
	add("a file of which an entry was cut out", "the count is another", bytes.Join(slices.Delete(slices.Clone(lines), last-1, last), nil))
	add("a file with an entry twice", "indices must rise", bytes.Join(slices.Insert(slices.Clone(lines), last-1, lines[last-1]), nil))
	swapped := slices.Clone(lines)
	swapped[last-1], swapped[last-2] = swapped[last-2], swapped[last-1]
	add("a file with two entries in another order, counted and hashed again", "indices must rise", reseal(swapped))
	add("a file with a word changed that nothing but the hash covers", "the hash is another", bytes.Replace(whole, []byte("by a test"), []byte("by a jest"), 1))
	add("a file with white space", "there is one form", bytes.Replace(whole, []byte(`,"leaf"`), []byte(`, "leaf"`), 1))
	add("a file of a format that is not known", "it is another format", bytes.Replace(whole, []byte("cairn/v1 evidence"), []byte("cairn/v9 evidence"), 1))
	add("an empty file", "there is no header", nil)
	return list
}

// searchVectors are those of files with searches.
func searchVectors(policy string) (list []vector) {
	l, sound := searchedFile()
	none := l.file(nil)
	none.searches = []evidence.Search{l.search(asks(2, "mallory"))}
	absent := sound.clone()
	absent.entries = absent.entries[2:]
	auditor := must(proofs.GenerateKey("auditor.example", proofs.Ed25519, rand.NewChaCha8([32]byte{1})))
	word := proofs.Attestation{Origin: origin, Size: sampleSize, Root: proofs.Hash{1}, Time: l.now}
	attested := sound.clone()
	attested.audits = []evidence.Attestation{{Note: string(must(auditor.SignAttestation(word)))}}
	forked, alone, short := sound.clone(), sound.clone(), sound.clone()
	forked.searches = []evidence.Search{fork().search(asks(1, "login"))}
	later := sample()
	later.event(1, 1, `{"action":"login","user":"eve"}`)
	later.publish()
	alone.searches = []evidence.Search{later.search(asks(1, "login"))}
	p := must(proofs.ParseSearchProof(sound.searches[0].Proof))
	p.Tail = p.Tail[:1]
	short.searches = []evidence.Search{asSearch(p)}
	twice := linesOf(l.bytes(sound))
	for _, row := range []struct {
		name, why string
		file      []byte
	}{
		{"a search, and the event that it finds", "", l.bytes(sound)},
		{"a search that finds nothing, and no entry", "", l.bytes(none)},
		{"a search whose event is not in the file", "", l.bytes(absent)},
		{"a search with an attestation of an auditor", "", l.bytes(attested)},
		{"a search under a checkpoint of another history", "the roots of the same size differ", l.bytes(forked)},
		{"a search under a checkpoint that the file does not have", "nothing shows that it is of the same history", l.bytes(alone)},
		{"a search without all tags", "an entry is not looked through", l.bytes(short)},
		{"a search that is there twice, counted once", "the count is another", reseal(slices.Insert(twice, 3, twice[3]))},
	} {
		list = append(list, makeVector(policy, row.name, row.why, row.file))
	}
	return list
}

// expiredStory returns a story of a bucket that expired, published.
func expiredStory() *story {
	s := newStory()
	s.later(30 * day)
	s.done(proofs.Expiry, s.expire())
	s.publish()
	return s
}

func TestVectors(t *testing.T) {
	path := filepath.Join("..", "..", "testdata", "vectors", "evidence.json")
	var want bytes.Buffer
	e := json.NewEncoder(&want)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(vectors()); err != nil {
		t.Fatal(err)
	}
	if os.Getenv("CAIRN_WRITE_VECTORS") != "" {
		if err := os.WriteFile(path, want.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(b, want.Bytes()) {
		t.Errorf("%s is not what its rows make: run go generate", path)
	}
	var rows []vector
	if err := json.Unmarshal(b, &rows); err != nil {
		t.Fatal(err)
	}
	for _, want := range rows {
		if got, err := want.judge(); err != nil || got.Verdict != want.Verdict || got.Error != want.Error || want.Counts != nil && *got.Counts != *want.Counts {
			t.Errorf("%s: got %+v and error %v", want.Name, got, err)
		}
	}
}
