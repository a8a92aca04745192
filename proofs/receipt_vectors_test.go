package proofs_test

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"strconv"
	"strings"
	"testing"

	"github.com/cairnlog/cairn/proofs"
)

// A receiptVector is a receipt, and where it has a policy and a leaf the
// check of them.
type receiptVector struct {
	title
	Receipt octets         `json:"receipt"`
	Policy  string         `json:"policy,omitempty"`
	Leaf    string         `json:"leaf,omitempty"` // hexadecimal
	Time    string         `json:"time,omitempty"` // decimal, the latest for which the quorum is met
	Is      *receiptFields `json:"is,omitempty"`
	verdict
}

type receiptFields struct {
	Extra      string   `json:"extra"` // hexadecimal
	Index      string   `json:"index"` // decimal
	Proof      []string `json:"proof"` // base64
	Checkpoint string   `json:"checkpoint"`
}

func (v receiptVector) judge(t *testing.T) error {
	r, err := proofs.ParseReceipt([]byte(v.Receipt))
	if err != nil {
		return err
	}
	if v.Is != nil {
		f := fieldsOfReceipt(r)
		wantEqual(t, "extra", f.Extra, v.Is.Extra)
		wantEqual(t, "index", f.Index, v.Is.Index)
		wantEqual(t, "proof", strings.Join(f.Proof, "\n"), strings.Join(v.Is.Proof, "\n"))
		wantEqual(t, "checkpoint", f.Checkpoint, v.Is.Checkpoint)
	}
	if b, err := proofs.FormatReceipt(r); err != nil || !bytes.Equal(b, []byte(v.Receipt)) {
		t.Errorf("formatted as %s, %v", b, err)
	}
	if v.Policy == "" {
		return nil
	}
	verdict, err := r.Check(must(proofs.ParsePolicy([]byte(v.Policy))), must(hex.DecodeString(v.Leaf)))
	if err == nil {
		wantEqual(t, "time", strconv.FormatUint(verdict.Time, 10), v.Time)
	}
	return err
}

func fieldsOfReceipt(r proofs.Receipt) receiptFields {
	f := receiptFields{hex.EncodeToString(r.Extra), strconv.FormatUint(r.Index, 10), []string{}, string(r.Checkpoint)}
	for _, h := range r.Proof {
		f.Proof = append(f.Proof, h.String())
	}
	return f
}

// testReceipt is a receipt for a leaf of the test log of seven entries, signed
// by the keys, whose extra line carries the leaf.
func testReceipt(index int, keys ...proofs.SigningKey) proofs.Receipt {
	d := refLeaves(7)
	return proofs.Receipt{
		Extra: d[index], Index: uint64(index), Proof: refPath(index, d),
		Checkpoint: signedBy(checkpointText(7), keys...),
	}
}

func receiptVectors() []receiptVector {
	return append(receiptFormatVectors(), receiptCheckVectors()...)
}

func receiptFormatVectors() []receiptVector {
	log := seededKey(testOrigin, proofs.Ed25519)
	takes := func(name string, r proofs.Receipt) receiptVector {
		is := fieldsOfReceipt(r)
		return receiptVector{title: title{name}, Receipt: octets(must(proofs.FormatReceipt(r))), Is: &is, verdict: accept()}
	}
	r := testReceipt(2, log)
	good := string(must(proofs.FormatReceipt(r)))
	refuses := func(name, old, new, why string) receiptVector {
		if !strings.Contains(good, old) {
			panic(name)
		}
		return receiptVector{title: title{name}, Receipt: octets(strings.Replace(good, old, new, 1)), verdict: malformed(why)}
	}
	bare, largest := r, r
	bare.Extra, bare.Index, bare.Proof = nil, 0, nil
	largest.Index, largest.Proof = 1<<63-1, make([]proofs.Hash, 63)
	header, extra := "c2sp.org/tlog-proof@v1\n", "extra "+base64.StdEncoding.EncodeToString(r.Extra)+"\n"
	hash, origin := r.Proof[0].String()+"\n", testOrigin+"\n"
	const base64Why, indexWhy = "base64 has one form only", "an index has no sign, space or leading zero"
	return []receiptVector{
		takes("a receipt is accepted", r),
		takes("a receipt without extra data and without hashes is accepted", bare),
		takes("the largest index and the longest proof are accepted", largest),
		refuses("no header is refused", header, "", "the header is the first line"),
		refuses("another version is refused", "@v1", "@v2", "the version is 1"),
		refuses("a space behind the header is refused", "@v1", "@v1 ", "the header is exact"),
		refuses("carriage returns are refused", header+extra+"index 2\n", "c2sp.org/tlog-proof@v1\r\n"+extra+"index 2\r\n", "lines end in a newline alone"),
		refuses("an empty line behind the header is refused", extra, "\n"+extra, "the checkpoint follows the first empty line"),
		refuses("an empty extra line is refused", extra, "extra \n", "it is left out where there is none"),
		refuses("an extra line without a space is refused", extra, "extra\n", "the index is next"),
		refuses("an extra line with stray bits is refused", extra, "extra AB==\n", base64Why),
		refuses("an extra line without padding is refused", extra, "extra AA\n", base64Why),
		refuses("two extra lines are refused", extra, extra+extra, "there is one at most"),
		refuses("an extra line behind the index is refused", "index 2\n", "index 2\n"+extra, "it is before the index"),
		refuses("no index is refused", "index 2\n", "", "there is an index"),
		refuses("no index but an empty line is refused", "index 2\n", "\n", "there is an index"),
		refuses("the index 007 is refused", "index 2\n", "index 007\n", indexWhy),
		refuses("the index +2 is refused", "index 2\n", "index +2\n", indexWhy),
		refuses("an index with two spaces is refused", "index 2\n", "index  2\n", indexWhy),
		refuses("an index of no digits is refused", "index 2\n", "index \n", indexWhy),
		refuses("the index 2^63 is refused", "index 2\n", "index 9223372036854775808\n", "2^63-1 is the limit"),
		refuses("a hash of 31 bytes is refused", hash, base64.StdEncoding.EncodeToString(make([]byte, 31))+"\n", "a hash has 32 bytes"),
		refuses("a hash without padding is refused", hash, hash[:43]+"\n", base64Why),
		refuses("64 hashes are refused", hash, strings.Repeat(hash, 62), "63 are the most there can be"),
		refuses("200 hashes are refused", hash, strings.Repeat(hash, 200), "63 are the most there can be"),
		refuses("no empty line before the checkpoint is refused", "\n\n"+origin, "\n"+origin, "an empty line is before the checkpoint"),
		refuses("two empty lines before the checkpoint are refused", "\n\n"+origin, "\n\n\n"+origin, "an origin is not empty"),
		refuses("no checkpoint is refused", good[strings.Index(good, "\n\n")+2:], "", "there is a checkpoint"),
		refuses("neither an empty line nor a checkpoint is refused", good[strings.Index(good, "\n\n")+1:], "", "there is a checkpoint"),
		refuses("a checkpoint without a signature is refused", good[strings.LastIndex(good, "\n\n")+1:], "", "it is signed"),
		refuses("a checkpoint of size 07 is refused", origin+"7\n", origin+"07\n", "a size has no leading zero"),
		refuses("a note that is no checkpoint is refused", origin+"7\n", "", "there are three lines"),
	}
}

func receiptCheckVectors() []receiptVector {
	log, pq := seededKey(testOrigin, proofs.Ed25519), seededKey(testOrigin, proofs.MLDSA44)
	w1, w2, w3 := witnessKey(1), witnessKey(2), witnessKey(3)
	policy := logLine() + witnessLines(3) + "group g 2 w1 w2 w3\nquorum g\n"
	row := func(name string, r proofs.Receipt, leaf []byte, v verdict) receiptVector {
		return receiptVector{title: title{name}, Receipt: octets(must(proofs.FormatReceipt(r))), Policy: policy, Leaf: hex.EncodeToString(leaf), verdict: v}
	}
	good, d := testReceipt(4, log, w1, w3), refLeaves(7)
	takes := row("an entry that the log signed and two of three witnesses saw is in the log", good, d[4], accept())
	takes.Time = strconv.Itoa(testTime)
	anyLog := row("the policy accepts each of its logs", testReceipt(0, pq), d[0], accept())
	anyLog.Policy, anyLog.Time = logLine()+"log "+pq.Key().String()+"\nquorum none\n", "0"
	swapped, shifted, short, stranger, changed := good, good, good, good, good
	swapped.Proof = []proofs.Hash{good.Proof[1], good.Proof[0], good.Proof[2]}
	shifted.Index = 5
	short.Proof = good.Proof[:2]
	stranger.Checkpoint = signedBy(checkpointText(7), seededKey("other.example", proofs.Ed25519), w1, w3)
	changed.Checkpoint = bytes.Replace(good.Checkpoint, []byte("\n7\n"), []byte("\n8\n"), 1)
	outside := good
	outside.Index = 7
	const pathWhy = "the proof does not lead to the root"
	return []receiptVector{
		takes, anyLog,
		row("extra data is not what is checked", good, d[3], notVerified("the leaf is another")),
		row("the leaf's hash in place of the leaf is refused", good, hashOf(d[4]), notVerified("the leaf is another")),
		row("another index is refused", shifted, d[4], notVerified(pathWhy)),
		row("an index beyond the checkpoint is refused", outside, d[4], notVerified("the tree has seven leaves")),
		row("a proof in another order is refused", swapped, d[4], notVerified(pathWhy)),
		row("a proof that lacks a hash is refused", short, d[4], notVerified(pathWhy)),
		row("one cosignature where two are due is refused", testReceipt(4, log, w2), d[4], notVerified("the quorum is not met")),
		row("two cosignatures by one witness are one", testReceipt(4, log, w2, w2), d[4], notVerified("the quorum is not met")),
		row("cosignatures without the log's signature are refused", testReceipt(4, w1, w2, w3), d[4], notVerified("the log has not signed")),
		row("the signature of a log that the policy lacks is refused", stranger, d[4], notVerified("the log is not listed")),
		row("a changed checkpoint is refused", changed, d[4], notVerified("the signatures are of another")),
	}
}

// hashOf is the leaf hash, as somebody might hand it in by mistake.
func hashOf(leaf []byte) []byte {
	h := proofs.LeafHash(leaf)
	return h[:]
}
