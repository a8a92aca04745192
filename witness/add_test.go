package witness_test

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/cairnlog/cairn/proofs"
	"github.com/cairnlog/cairn/witness"
)

const origin = "log.example/a"

// A call is a request to a witness that has cosigned size 5 of the log.
type call struct {
	method     string // empty: POST
	old        uint64
	proof      []proofs.Hash
	checkpoint []byte
	body       string // in the place of old, proof and checkpoint
}

func (c call) send(t *testing.T, b *bench) *http.Response {
	body := []byte(c.body)
	if c.body == "" {
		body = witness.FormatRequest(witness.Request{Old: c.old, Proof: c.proof, Checkpoint: c.checkpoint})
	}
	method := c.method
	if method == "" {
		method = http.MethodPost
	}
	return b.do(t, method, "/add-checkpoint", body)
}

// The rows are C2SP tlog-witness, add-checkpoint, in its order.
func TestAddCheckpoint(t *testing.T) {
	var (
		log     = key(t, origin, proofs.Ed25519)
		next    = key(t, origin+"/2027", proofs.Ed25519) // of the log too, under another name
		quantum = key(t, origin, proofs.MLDSA44)
		// Their signatures are nobody's.
		stranger = key(t, "stranger.example", proofs.Ed25519)
		unknown  = key(t, "log.example/unknown", proofs.Ed25519)
		fresh    = key(t, "log.example/fresh", proofs.Ed25519) // never cosigned
		a        = newHistory(100, "")
		other    = newHistory(3, "other")
		some     = []proofs.Hash{proofs.LeafHash([]byte("some"))}
		logs     = append(trust(log, quantum, fresh), witness.Log{Origin: origin, Key: next.Key(), QPD: 1, Contact: "x"})
	)
	at := func(size uint64, keys ...proofs.SigningKey) []byte {
		if keys == nil {
			keys = []proofs.SigningKey{log}
		}
		return sign(t, a.text(t, origin, size), keys...)
	}
	first := func(size uint64) []byte { return sign(t, a.text(t, fresh.Key().Name(), size), fresh) }
	emptyRoot, wrongRoot := proofs.EmptyRoot().String(), some[0].String()

	for _, row := range []struct {
		name   string
		call   call
		status int
		size   string // the body, where the status is 409
	}{
		{"the request is a POST",
			call{method: "GET", old: 5, proof: a.proof(t, 5, 8), checkpoint: at(8)}, 405, ""},
		{"a body without an old size is malformed",
			call{body: string(at(8))}, 400, ""},
		{"a proof of 63 lines is read, and here it is wrong",
			call{old: 5, proof: slices.Repeat(some, 63), checkpoint: at(8)}, 422, ""},
		{"a proof of 64 lines is malformed",
			call{old: 5, proof: slices.Repeat(some, 64), checkpoint: at(8)}, 400, ""},
		{"a note without a signature is malformed",
			call{old: 5, checkpoint: []byte(a.text(t, origin, 8) + "\n")}, 400, ""},
		{"a checkpoint that is no checkpoint is malformed, whatever its origin",
			call{checkpoint: []byte("who knows\n010\n" + emptyRoot + "\n\n— x AAAAAAA=\n")}, 400, ""},

		{"an unknown origin is 404",
			call{checkpoint: sign(t, a.text(t, "log.example/unknown", 8), unknown)}, 404, ""},
		{"an unknown origin is 404 also with an old size above the checkpoint's",
			call{old: 9, checkpoint: sign(t, a.text(t, "log.example/unknown", 8), unknown)}, 404, ""},
		{"an unknown origin is 404 also when a trusted key of another log signs it",
			call{checkpoint: sign(t, a.text(t, "log.example/unknown", 8), log)}, 404, ""},

		{"no signature by a trusted key is 403",
			call{old: 5, proof: a.proof(t, 5, 8), checkpoint: at(8, stranger)}, 403, ""},
		{"a signature by a key that is trusted for another log is 403",
			call{old: 5, proof: a.proof(t, 5, 8), checkpoint: at(8, fresh)}, 403, ""},
		{"a wrong signature by a trusted key is 403",
			call{old: 5, proof: a.proof(t, 5, 8), checkpoint: forge(t, at(8), log)}, 403, ""},
		{"a wrong signature by a trusted key is 403 also beside a right one by another",
			call{old: 5, proof: a.proof(t, 5, 8), checkpoint: append(at(8, next), lines(forge(t, at(8), log))...)}, 403, ""},
		{"a wrong signature by a trusted key is 403 also beside a right one by the same",
			call{old: 5, proof: a.proof(t, 5, 8), checkpoint: append(at(8), lines(forge(t, at(8), log))...)}, 403, ""},
		{"a signature that is too short to be one is 403",
			call{old: 5, proof: a.proof(t, 5, 8), checkpoint: fmt.Appendf(nil, "%s\n%s", a.text(t, origin, 8), line(log, []byte{1}))}, 403, ""},
		{"a signature of another checkpoint is 403",
			call{old: 5, proof: a.proof(t, 5, 8), checkpoint: fmt.Appendf(nil, "%s\n%s", a.text(t, origin, 8), lines(at(7)))}, 403, ""},
		{"a wrong signature is 403 also with an old size above the checkpoint's",
			call{old: 9, checkpoint: forge(t, at(8), log)}, 403, ""},
		{"a wrong signature is 403 also with an old size that conflicts",
			call{old: 4, checkpoint: forge(t, at(8), log)}, 403, ""},
		{"extension lines that only ML-DSA-44 stands behind are 403",
			call{old: 5, proof: a.proof(t, 5, 8), checkpoint: sign(t, a.text(t, origin, 8, "x"), quantum)}, 403, ""},

		{"an old size above the checkpoint's is 400",
			call{old: 9, checkpoint: at(8)}, 400, ""},
		{"an old size above the checkpoint's is 400 also where it is the size cosigned last",
			call{old: 5, checkpoint: at(4)}, 400, ""},

		{"an old size below the one cosigned last is 409 with that size",
			call{old: 4, proof: a.proof(t, 4, 8), checkpoint: at(8)}, 409, "5\n"},
		{"an old size above the one cosigned last is 409 with that size",
			call{old: 6, proof: a.proof(t, 6, 8), checkpoint: at(8)}, 409, "5\n"},
		{"an old size of zero, to ask for the size, is 409 with it",
			call{checkpoint: at(8)}, 409, "5\n"},
		{"an old size that conflicts is 409 also where the proof is wrong",
			call{old: 4, proof: some, checkpoint: at(8)}, 409, "5\n"},
		{"a smaller checkpoint is 409",
			call{old: 3, checkpoint: at(3)}, 409, "5\n"},
		{"a checkpoint of size zero with another root is 409 first",
			call{checkpoint: sign(t, origin+"\n0\n"+wrongRoot+"\n", log)}, 409, "5\n"},
		{"an old size other than zero is 409 with zero where nothing was ever cosigned",
			call{old: 3, proof: a.proof(t, 3, 8), checkpoint: first(8)}, 409, "0\n"},

		{"a checkpoint of size zero with another root than the empty tree's is 422",
			call{checkpoint: sign(t, fresh.Key().Name()+"\n0\n"+wrongRoot+"\n", fresh)}, 422, ""},
		{"a proof with an old size of zero is 422",
			call{proof: some, checkpoint: first(8)}, 422, ""},
		{"a proof with the empty tree is 422",
			call{proof: some, checkpoint: first(0)}, 422, ""},
		{"a missing proof is 422",
			call{old: 5, checkpoint: at(8)}, 422, ""},
		{"a wrong proof is 422",
			call{old: 5, proof: a.proof(t, 4, 8), checkpoint: at(8)}, 422, ""},
		{"a proof with a hash too many is 422",
			call{old: 5, proof: append(a.proof(t, 5, 8), some...), checkpoint: at(8)}, 422, ""},
		{"another history is 422, with its own proof",
			call{old: 5, proof: other.proof(t, 5, 8), checkpoint: sign(t, other.text(t, origin, 8), log)}, 422, ""},
		{"another root at the same size is 422",
			call{old: 5, checkpoint: sign(t, other.text(t, origin, 5), log)}, 422, ""},
		{"a proof between equal sizes is 422",
			call{old: 5, proof: some, checkpoint: at(5)}, 422, ""},

		{"a checkpoint that extends the one cosigned last is cosigned",
			call{old: 5, proof: a.proof(t, 5, 8), checkpoint: at(8)}, 200, ""},
		{"the same checkpoint is cosigned again",
			call{old: 5, checkpoint: at(5)}, 200, ""},
		{"the first checkpoint of a log is cosigned",
			call{checkpoint: first(8)}, 200, ""},
		{"a first checkpoint of the empty tree is cosigned",
			call{checkpoint: first(0)}, 200, ""},
		{"a key with another name than the origin is trusted like any other",
			call{old: 5, proof: a.proof(t, 5, 8), checkpoint: at(8, next)}, 200, ""},
		{"an ML-DSA-44 key is trusted like any other",
			call{old: 5, proof: a.proof(t, 5, 8), checkpoint: at(8, quantum)}, 200, ""},
		{"several trusted signatures are as good as one",
			call{old: 5, proof: a.proof(t, 5, 8), checkpoint: at(8, log, quantum, next)}, 200, ""},
		{"a trusted signature that comes twice is as good as once",
			call{old: 5, proof: a.proof(t, 5, 8), checkpoint: append(at(8), lines(at(8))...)}, 200, ""},
		{"two different signatures by a trusted key are as good as one",
			call{old: 5, proof: a.proof(t, 5, 8), checkpoint: append(at(8, quantum), lines(at(8, quantum))...)}, 200, ""},
		{"signatures by unknown keys are ignored",
			call{old: 5, proof: a.proof(t, 5, 8), checkpoint: at(8, stranger, log, fresh)}, 200, ""},
		{"a signature with a trusted key's name and another ID is ignored",
			call{old: 5, proof: a.proof(t, 5, 8), checkpoint: append(at(8), fmt.Sprintf("— %s AAAAAAA=\n", origin)...)}, 200, ""},
		{"a signature with a trusted key's ID and another name is ignored",
			call{old: 5, proof: a.proof(t, 5, 8), checkpoint: append(at(8), bytes.Replace(line(log, []byte{1}), []byte(origin), []byte("x"), 1)...)}, 200, ""},
		{"extension lines are cosigned",
			call{old: 5, proof: a.proof(t, 5, 8), checkpoint: sign(t, a.text(t, origin, 8, "frozen", "for good"), log, quantum)}, 200, ""},
		{"sixteen signatures of 5 kB each are read",
			call{old: 5, proof: a.proof(t, 5, 8), checkpoint: append(bulky(t, a.text(t, origin, 8), 15), lines(at(8))...)}, 200, ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			b := newBench(t, logs...)
			if _, err := b.AddCheckpoint(t.Context(), witness.Request{Checkpoint: at(5)}); err != nil {
				t.Fatal(err)
			}
			b.clock.set(noon + 60)
			before := b.served(t, origin)
			answer := row.call.send(t, b)
			body := read(t, answer)
			if answer.StatusCode != row.status {
				t.Fatalf("status %d, want %d: %s", answer.StatusCode, row.status, body)
			}
			switch row.status {
			case 200:
				checkCosigned(t, b, row.call, body)
				return
			case 409:
				if contentType := answer.Header.Get("Content-Type"); body != row.size || contentType != "text/x.tlog.size" {
					t.Errorf("body %q of type %q, want %q of type text/x.tlog.size", body, contentType, row.size)
				}
			}
			if after := b.served(t, origin); after != before {
				t.Errorf("the refusal changed what is remembered:\n%s", after)
			}
			if served := b.served(t, fresh.Key().Name()); served != "404 Not Found" {
				t.Errorf("the refusal made a first checkpoint: %s", served)
			}
		})
	}
}

// checkCosigned checks the answer to a call, and that monitors are served
// the cosignatures with the log's signatures that were verified.
func checkCosigned(t *testing.T, b *bench, c call, answer string) {
	t.Helper()
	submitted, err := proofs.ParseNote(c.checkpoint)
	must(t, err)
	for _, time := range checkAnswer(t, []byte(answer), submitted.Text) {
		if time != noon+60 {
			t.Errorf("time %d, want %d", time, noon+60)
		}
	}
	origin, _, _ := strings.Cut(submitted.Text, "\n")
	served, err := proofs.ParseNote([]byte(b.served(t, origin)))
	must(t, err)
	if served.Text != submitted.Text {
		t.Errorf("monitors are served\n%swant\n%s", served.Text, submitted.Text)
	}
	own, err := proofs.ParseSignatures([]byte(answer))
	must(t, err)
	var want []proofs.Signature
	for _, s := range append(submitted.Signatures, own...) {
		trusted := slices.ContainsFunc(b.logs, func(l witness.Log) bool {
			return l.Origin == origin && l.Key.Name() == s.Name && l.Key.ID() == s.KeyID
		})
		same := func(w proofs.Signature) bool { return w.Name == s.Name && w.KeyID == s.KeyID }
		if (trusted || same(own[0]) || same(own[1])) && !slices.ContainsFunc(want, same) {
			want = append(want, s)
		}
	}
	if got, want := proofs.FormatSignatures(served.Signatures), proofs.FormatSignatures(want); !bytes.Equal(got, want) {
		t.Errorf("monitors are served the signatures\n%swant those of the log that were verified, and the witness's\n%s", got, want)
	}
}

// forge breaks the last signature of a note, which is by k.
func forge(t *testing.T, note []byte, k proofs.SigningKey) []byte {
	t.Helper()
	n, err := proofs.ParseNote(note)
	must(t, err)
	last := &n.Signatures[len(n.Signatures)-1]
	if last.KeyID != k.Key().ID() {
		t.Fatalf("the last signature is not by %v", k)
	}
	last.Bytes[len(last.Bytes)-1] ^= 1
	return proofs.FormatNote(n)
}

// line returns a signature line that claims to be by k.
func line(k proofs.SigningKey, signature []byte) []byte {
	return proofs.FormatSignatures([]proofs.Signature{{Name: k.Key().Name(), KeyID: k.Key().ID(), Bytes: signature}})
}

// lines returns the signature lines of a note.
func lines(note []byte) []byte {
	return note[bytes.LastIndex(note, []byte("\n\n"))+2:]
}

// bulky returns a note with n signatures of 5 kB by nobody.
func bulky(t *testing.T, text string, n int) []byte {
	t.Helper()
	note := []byte(text + "\n")
	for i := range n {
		note = fmt.Appendf(note, "— post.quantum/%d %s\n", i, base64.StdEncoding.EncodeToString(make([]byte, 5000)))
	}
	return note
}
