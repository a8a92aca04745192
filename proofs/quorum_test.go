package proofs_test

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/cairnlog/cairn/proofs"
)

// testPolicy has the test log with both its keys, and witnesses 1 to 3 of
// which the quorum is two; 3 has an ML-DSA-44 key beside the Ed25519 one.
func testPolicy() *proofs.Policy {
	return must(proofs.ParsePolicy([]byte(logLine() + "log " + seededKey(testOrigin, proofs.MLDSA44).Key().String() + "\n" +
		witnessLines(3) + "witness w3pq " + seededKey("w3.example", proofs.MLDSA44).Key().String() + "\n" +
		"group both any w3 w3pq\ngroup g 2 w1 w2 both\nquorum g\n")))
}

// A stamped key signs at a time.
type stamped struct {
	key      proofs.SigningKey
	unixTime uint64
}

func signedAt(text string, by ...stamped) []byte {
	n := proofs.Note{Text: text}
	for _, s := range by {
		n.Signatures = append(n.Signatures, refSign(s.key, text, s.unixTime))
	}
	return proofs.FormatNote(n)
}

func TestVerdictsSayWhoSignedAndWhen(t *testing.T) {
	log, logPQ, w3pq := seededKey(testOrigin, proofs.Ed25519), seededKey(testOrigin, proofs.MLDSA44), seededKey("w3.example", proofs.MLDSA44)
	stranger := stamped{seededKey("stranger.example", proofs.Ed25519Cosignature), 900}
	for _, c := range []struct {
		name string
		by   []stamped
		want string // log keys; witnesses at their times; the quorum's time, or why not
	}{
		{"the second latest time meets a quorum of two", []stamped{{log, 0}, {witnessKey(1), 100}, {witnessKey(2), 200}}, "1; w1@100 w2@200; 100"},
		{"a third cosignature makes it later", []stamped{{log, 0}, {witnessKey(1), 100}, {witnessKey(2), 200}, {witnessKey(3), 300}}, "1; w1@100 w2@200 w3@300; 200"},
		{"a witness with two keys is one vote", []stamped{{log, 0}, {witnessKey(3), 300}, {w3pq, 310}}, "not met"},
		{"of a witness with two keys the later time counts", []stamped{{log, 0}, {witnessKey(1), 400}, {witnessKey(3), 300}, {w3pq, 310}}, "1; w1@400 w3@300 w3pq@310; 310"},
		{"of two cosignatures by one key the later counts", []stamped{{log, 0}, {witnessKey(1), 500}, {witnessKey(1), 100}, {witnessKey(2), 400}}, "1; w1@500 w2@400; 400"},
		{"either key of the log will do", []stamped{{logPQ, 0}, {witnessKey(1), 100}, {witnessKey(2), 200}}, "1; w1@100 w2@200; 100"},
		{"both keys of the log are named", []stamped{{witnessKey(2), 200}, {logPQ, 7}, {witnessKey(1), 100}, {log, 0}}, "2; w1@100 w2@200; 100"},
		{"strangers are ignored", []stamped{stranger, {log, 0}, stranger, {witnessKey(1), 100}, {witnessKey(2), 200}}, "1; w1@100 w2@200; 100"},
		{"a cosignature without a time counts, at time 0", []stamped{{log, 0}, {witnessKey(1), 100}, {w3pq, 0}}, "1; w1@100 w3pq@0; 0"},
		{"one witness is no quorum", []stamped{{log, 0}, {witnessKey(1), 100}}, "not met"},
		{"witnesses without the log are nothing", []stamped{{witnessKey(1), 100}, {witnessKey(2), 200}}, "not signed"},
	} {
		t.Run(c.name, func(t *testing.T) {
			signed := signedAt(checkpointText(7), c.by...)
			v, err := testPolicy().Check(signed)
			wantEqual(t, "verdict", describe(v, err), c.want)
			if _, logErr := testPolicy().CheckLog(signed); (logErr == nil) != (c.want != "not signed") {
				t.Errorf("CheckLog: %v", logErr)
			}
		})
	}
}

// describe writes a verdict as the rows above do.
func describe(v proofs.Verdict, err error) string {
	if errors.Is(err, proofs.ErrNotVerified) && strings.Contains(err.Error(), "not met") {
		return "not met"
	} else if errors.Is(err, proofs.ErrNotVerified) && strings.Contains(err.Error(), "no log of the policy") {
		return "not signed"
	} else if err != nil {
		return err.Error()
	}
	var cosignatures []string
	for _, c := range v.Cosignatures {
		cosignatures = append(cosignatures, fmt.Sprintf("%s@%d", c.Witness, c.Time))
	}
	return fmt.Sprintf("%d; %s; %d", len(v.LogKeys), strings.Join(cosignatures, " "), v.Time)
}

func TestCheckLogDoesNotDemandTheQuorum(t *testing.T) {
	v, err := testPolicy().CheckLog(signedBy(checkpointText(7), seededKey(testOrigin, proofs.Ed25519), witnessKey(2)))
	if err != nil || v.QuorumMet || v.Time != 0 || len(v.Cosignatures) != 1 || v.Checkpoint.Size != 7 {
		t.Errorf("got %+v, %v; want size 7, one cosignature and no quorum", v, err)
	}
}

// C2SP signed-note: a signature whose name and ID match a known key is
// verified, and if it is wrong the note is rejected; every other signature is
// ignored.
func TestAWrongSignatureByAKnownKeyRejectsTheCheckpoint(t *testing.T) {
	log, text := seededKey(testOrigin, proofs.Ed25519), checkpointText(7)
	good := must(proofs.ParseNote(signedBy(text, log, witnessKey(1), witnessKey(2))))
	wrong := refSign(witnessKey(3), checkpointText(6), testTime)
	otherID, otherName, wrongLog := wrong, wrong, refSign(log, checkpointText(6), 0)
	otherID.KeyID++
	otherName.Name = "x.example"
	for _, c := range []struct {
		name  string
		added proofs.Signature
		ok    bool
	}{
		{"a wrong signature by a witness beyond the quorum", wrong, false},
		{"a wrong signature by the log beside a right one", wrongLog, false},
		{"a wrong signature by a witness that has signed rightly", refSign(witnessKey(1), checkpointText(6), testTime), false},
		{"a signature of no known size by a witness", proofs.Signature{Name: wrong.Name, KeyID: wrong.KeyID, Bytes: []byte{1}}, false},
		{"a key that shares the name with a known one is unknown", otherID, true},
		{"a key that shares the ID with a known one is unknown", otherName, true},
	} {
		for _, place := range []int{0, len(good.Signatures)} {
			n := proofs.Note{Text: text, Signatures: slices.Insert(slices.Clone(good.Signatures), place, c.added)}
			if _, err := testPolicy().Check(proofs.FormatNote(n)); (err == nil) != c.ok || !c.ok && !errors.Is(err, proofs.ErrNotVerified) {
				t.Errorf("%s, at %d: error %v, want none: %v", c.name, place, err, c.ok)
			}
		}
	}
}

// C2SP tlog-policy: the key name of a log is its origin.
func TestALogSpeaksForItsOwnOriginOnly(t *testing.T) {
	other := seededKey("other.example/log", proofs.Ed25519)
	p := must(proofs.ParsePolicy([]byte(logLine() + "log " + other.Key().String() + "\nquorum none\n")))
	if v, err := p.Check(signedBy(checkpointText(7), other)); !errors.Is(err, proofs.ErrNotVerified) {
		t.Errorf("another log's signature: got %v, %v; want ErrNotVerified", v, err)
	}
	v, err := p.Check(signedBy(checkpointText(7), other, seededKey(testOrigin, proofs.Ed25519)))
	if err != nil || len(v.LogKeys) != 1 || v.LogKeys[0].Name() != testOrigin {
		t.Errorf("both logs' signatures: got %v, %v; want one log key", v, err)
	}
}

func TestAPolicyWithoutLogsBelievesNone(t *testing.T) {
	p := must(proofs.ParsePolicy([]byte("quorum none\n")))
	if v, err := p.Check(signedBy(checkpointText(7), seededKey(testOrigin, proofs.Ed25519))); !errors.Is(err, proofs.ErrNotVerified) {
		t.Errorf("got %v, %v; want ErrNotVerified", v, err)
	}
}

func TestCheckTellsMalformedFromNotVerified(t *testing.T) {
	for _, b := range [][]byte{nil, []byte("text\n\n— k AAAAAAA=\n"), bytes.Repeat([]byte("x"), proofs.MaxNoteSize+1)} {
		if _, err := testPolicy().Check(b); !errors.Is(err, proofs.ErrMalformed) || errors.Is(err, proofs.ErrNotVerified) {
			t.Errorf("%.20q: error %v, want ErrMalformed alone", b, err)
		}
	}
}

func TestAPolicyThatWasNeverParsedFailsClosed(t *testing.T) {
	w := proofs.PolicyWitness{Name: "w", Key: witnessKey(1).Key()}
	all := map[string]bool{"w": true, "g": true, "": true, "later": true}
	for name, p := range map[string]proofs.Policy{
		"the zero policy":             {},
		"a quorum that is undefined":  {Witnesses: []proofs.PolicyWitness{w}, Quorum: "g"},
		"a threshold of 0":            {Witnesses: []proofs.PolicyWitness{w}, Groups: []proofs.PolicyGroup{{"g", 0, []string{"w"}}}, Quorum: "g"},
		"a negative threshold":        {Witnesses: []proofs.PolicyWitness{w}, Groups: []proofs.PolicyGroup{{"g", -1, []string{"w"}}}, Quorum: "g"},
		"a member that comes later":   {Groups: []proofs.PolicyGroup{{"g", 1, []string{"later"}}}, Quorum: "g"},
		"a group that has itself":     {Groups: []proofs.PolicyGroup{{"g", 1, []string{"g"}}}, Quorum: "g"},
		"a member that is no witness": {Groups: []proofs.PolicyGroup{{"g", 1, []string{"w"}}}, Quorum: "g"},
	} {
		if p.Met(all) {
			t.Errorf("%s: the quorum is met", name)
		}
	}
}
