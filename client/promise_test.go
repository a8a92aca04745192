package client_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/proofs"
)

// promise returns the log's promise of an entry, in a batch of its leaves.
func (l *cheatingLog) promise(start, end, index int) client.PromisedEntry {
	l.t.Helper()
	note, err := l.key.SignPromise(proofs.PromiseText{
		Origin: l.key.Key().Name(), State: "sequenced", Start: uint64(start), End: uint64(end),
		Root: rootOf(l.leaves[start:end]), Time: 1_700_000_000_000_000,
	})
	if err != nil {
		l.t.Fatal(err)
	}
	batch := newCheatingLog(l.t)
	batch.leaves = l.leaves[start:end]
	c := proofs.Checkpoint{Origin: logOrigin, Size: uint64(end - start), Root: rootOf(batch.leaves)}
	proof, err := proofs.ProveInclusion(ctx, uint64(index-start), c.Size, proofs.NewReader(c, batch))
	if err != nil {
		l.t.Fatal(err)
	}
	return client.PromisedEntry{Index: uint64(index), Leaf: l.leaves[index], Promise: proofs.Promise{Note: note, Proof: proof}}
}

// A promiseVector is the file of a promise, and where it has a policy the
// check of it.
type promiseVector struct {
	Name    string         `json:"name"`
	Promise string         `json:"promise"`
	Policy  string         `json:"policy,omitempty"`
	Is      *promiseFields `json:"is,omitempty"`
	Verdict string         `json:"verdict"`         // ok or reject
	Error   string         `json:"error,omitempty"` // of what is refused: malformed, or does not verify
	Why     string         `json:"why,omitempty"`
}

type promiseFields struct {
	Index  uint64   `json:"index"`
	Leaf   string   `json:"leaf"`  // hexadecimal
	Proof  []string `json:"proof"` // base64
	Note   string   `json:"note"`
	Origin string   `json:"origin"`
	State  string   `json:"state"`
	Start  uint64   `json:"start"`
	End    uint64   `json:"end"`
	Time   uint64   `json:"time"` // microseconds since 1970
}

func promiseVectors(t *testing.T) (vectors []promiseVector) {
	l := newCheatingLog(t)
	l.grow(10, "true", 1000)
	format := func(p client.PromisedEntry) string {
		b, err := client.FormatPromisedEntry(p)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	policy := "log " + l.key.Key().String() + "\nquorum none\n"
	p := l.promise(4, 9, 6)
	good := format(p)
	is := &promiseFields{6, hex.EncodeToString(p.Leaf), []string{}, string(p.Promise.Note), logOrigin, "sequenced", 4, 9, 1_700_000_000_000_000}
	for _, h := range p.Promise.Proof {
		is.Proof = append(is.Proof, h.String())
	}
	vectors = append(vectors,
		promiseVector{Name: "a promise of one entry of a batch is accepted", Promise: good, Policy: policy, Is: is, Verdict: "ok"},
		promiseVector{Name: "a promise of an entry that is its batch is accepted", Promise: format(l.promise(0, 1, 0)), Policy: policy, Verdict: "ok"},
	)
	refuse := func(name, old, new, kind, why string) {
		if !strings.Contains(good, old) {
			t.Fatalf("%s: there is no %q", name, old)
		}
		vectors = append(vectors, promiseVector{Name: name, Promise: strings.Replace(good, old, new, 1), Policy: policy, Verdict: "reject", Error: kind, Why: why})
	}
	const header, malformed, no = "cairn/v1 promised entry\n", "malformed", "does not verify"
	leaf, hash := "leaf dHJ1ZSA2\n", p.Promise.Proof[0].String()+"\n"
	refuse("no header is refused", header, "", malformed, "the header is the first line")
	refuse("another version is refused", "v1 promised", "v2 promised", malformed, "the version is 1")
	refuse("carriage returns are refused", header, "cairn/v1 promised entry\r\n", malformed, "lines end in a newline alone")
	refuse("no index is refused", "index 6\n", "", malformed, "there is an index")
	refuse("the index 06 is refused", "index 6\n", "index 06\n", malformed, "an index has no sign, space or leading zero")
	refuse("the index 2^63 is refused", "index 6\n", "index 9223372036854775808\n", malformed, "2^63-1 is the limit")
	refuse("no leaf is refused", leaf, "", malformed, "there is a leaf")
	refuse("an empty leaf is refused", leaf, "leaf \n", malformed, "no entry is empty")
	refuse("a leaf with stray bits is refused", leaf, "leaf AB==\n", malformed, "base64 has one form only")
	refuse("a leaf without padding is refused", leaf, "leaf AA\n", malformed, "base64 has one form only")
	refuse("a leaf before the index is refused", "index 6\n"+leaf, leaf+"index 6\n", malformed, "the index is the second line")
	refuse("a hash of 31 bytes is refused", hash, "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA==\n", malformed, "a hash has 32 bytes")
	refuse("64 hashes are refused", hash, strings.Repeat(hash, 62), malformed, "63 are the most there can be")
	refuse("no empty line before the note is refused", "\n\ncairn", "\ncairn", malformed, "an empty line is before the note")
	refuse("a note without a signature is refused", good[strings.LastIndex(good, "\n\n")+1:], "", malformed, "it is signed")
	refuse("a note that promises something else is refused", "promise by", "checkpoint by", malformed, "the note is a promise")
	refuse("a checkpoint in place of the note is refused", string(p.Promise.Note), string(l.shown), malformed, "the note is a promise")
	refuse("another index is refused", "index 6\n", "index 5\n", no, "the proof does not lead to the root")
	refuse("an index behind the batch is refused", "index 6\n", "index 9\n", no, "the promise ends before it")
	refuse("another leaf is refused", leaf, "leaf dHJ1ZSA1\n", no, "the proof does not lead to the root")
	refuse("a proof that lacks a hash is refused", hash, "", no, "the proof does not lead to the root")
	refuse("another state is refused", "\nsequenced\n", "\nintegrated\n", no, "the signature is of another note")
	refuse("a later time is refused", "\n1700000000000000\n", "\n1700000000000001\n", no, "the signature is of another note")
	refuse("another log is refused", "promise by "+logOrigin, "promise by example.com/x", no, "the policy does not list it")
	return vectors
}

func TestPromiseVectors(t *testing.T) {
	const path = "../testdata/vectors/promise.json"
	var made bytes.Buffer
	e := json.NewEncoder(&made)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(promiseVectors(t)); err != nil {
		t.Fatal(err)
	}
	if os.Getenv("CAIRN_WRITE_VECTORS") != "" {
		if err := os.WriteFile(path, made.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(b, made.Bytes()) {
		t.Errorf("%s is not what its rows make: run go generate", path)
	}
	var vectors []promiseVector
	if err := json.Unmarshal(b, &vectors); err != nil {
		t.Fatal(err)
	}
	for _, v := range vectors {
		t.Run(v.Name, func(t *testing.T) { v.judge(t) })
	}
}

//go:generate env CAIRN_WRITE_VECTORS=1 go test -count=1 -run ^TestPromiseVectors$ .

func (v promiseVector) judge(t *testing.T) {
	policy, err := proofs.ParsePolicy([]byte(v.Policy))
	if err != nil {
		t.Fatal(err)
	}
	p, err := client.ParsePromisedEntry([]byte(v.Promise))
	var text proofs.PromiseText
	if err == nil {
		if again, err := client.FormatPromisedEntry(p); err != nil || string(again) != v.Promise {
			t.Errorf("formatted as %q, %v", again, err)
		}
		text, err = p.Check(policy)
	}
	verdict, kind := "ok", ""
	if err != nil {
		verdict = "reject"
	}
	for _, sort := range []error{proofs.ErrMalformed, proofs.ErrNotVerified} {
		if errors.Is(err, sort) {
			kind = sort.Error()
		}
	}
	if verdict != v.Verdict || kind != v.Error {
		t.Errorf("got error %v, want %s %s: %s", err, v.Verdict, v.Error, v.Why)
	}
	if v.Is == nil {
		return
	}
	got := promiseFields{p.Index, hex.EncodeToString(p.Leaf), []string{}, string(p.Promise.Note), text.Origin, text.State, text.Start, text.End, text.Time}
	for _, h := range p.Promise.Proof {
		got.Proof = append(got.Proof, h.String())
	}
	if fmt.Sprint(got) != fmt.Sprint(*v.Is) {
		t.Errorf("got %+v, want %+v", got, *v.Is)
	}
}

func FuzzParsePromisedEntry(f *testing.F) {
	l := newCheatingLog(f)
	l.grow(10, "true", 1000)
	b, err := client.FormatPromisedEntry(l.promise(4, 9, 6))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Add([]byte("cairn/v1 promised entry\nindex 0\nleaf AA==\n\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := client.ParsePromisedEntry(b)
		if err != nil {
			if !errors.Is(err, proofs.ErrMalformed) {
				t.Fatalf("got error %v, want ErrMalformed", err)
			}
			return
		}
		again, err := client.FormatPromisedEntry(p)
		if err != nil || !bytes.Equal(again, b) {
			t.Fatalf("%q became %q (error %v)", b, again, err)
		}
		_, _ = p.Check(l.policy) // must not panic
	})
}
