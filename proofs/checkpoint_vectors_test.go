package proofs_test

import (
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/cairnlog/cairn/proofs"
)

type checkpointVector struct {
	title
	Text octets            `json:"text"`
	Is   *checkpointFields `json:"is,omitempty"`
	verdict
}

type checkpointFields struct {
	Origin     string   `json:"origin"`
	Size       string   `json:"size"` // decimal
	Root       string   `json:"root"` // base64
	Extensions []string `json:"extensions"`
}

func (v checkpointVector) judge(t *testing.T) error {
	c, err := proofs.ParseCheckpoint(string(v.Text))
	if err == nil {
		wantEqual(t, "checkpoint", fmt.Sprint(fieldsOfCheckpoint(c)), fmt.Sprint(*v.Is))
		wantEqual(t, "formatted", must(proofs.FormatCheckpoint(c)), string(v.Text))
	}
	return err
}

func fieldsOfCheckpoint(c proofs.Checkpoint) checkpointFields {
	return checkpointFields{c.Origin, strconv.FormatUint(c.Size, 10), c.Root.String(), append([]string{}, c.Extensions...)}
}

func checkpointVectors() []checkpointVector {
	takes := func(name, text string) checkpointVector {
		is := fieldsOfCheckpoint(must(proofs.ParseCheckpoint(text)))
		return checkpointVector{title{name}, octets(text), &is, accept()}
	}
	refuses := func(name, text, why string) checkpointVector {
		return checkpointVector{title{name}, octets(text), nil, malformed(why)}
	}
	const origin, size, root = "example.com/behind-the-sofa", "20852163", "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I="
	of := func(size string) string { return lines(origin, size, root) }
	rooted := func(root string) string { return lines(origin, size, root) }
	const canonical = "a size has no sign, space or leading zero"
	return []checkpointVector{
		takes("the checkpoint in the specification is accepted", of(size)),
		takes("an empty tree is accepted", lines(origin, "0", proofs.EmptyRoot().String())),
		takes("the largest size is accepted", of("9223372036854775807")),
		takes("an origin that is no address is accepted", lines("Пример: any line + will do", "1", root)),
		takes("an origin of more than 255 bytes is accepted", lines(strings.Repeat("o", 300), "1", root)),
		takes("extension lines are accepted", lines(origin, size, root, "Timestamp: 1679315147", "and another")),
		refuses("an empty text is refused", "", "there are three lines"),
		refuses("two lines are refused", lines(origin, size), "there are three lines"),
		refuses("an empty origin is refused", lines("", size, root), "an origin is not empty"),
		refuses("an empty size is refused", lines(origin, "", root), "a size is a number"),
		refuses("an empty root is refused", lines(origin, size, ""), "a root has 32 bytes"),
		refuses("the size 010 is refused", of("010"), canonical),
		refuses("the size 00 is refused", of("00"), canonical),
		refuses("the size +1 is refused", of("+1"), canonical),
		refuses("the size -1 is refused", of("-1"), canonical),
		refuses("the size 0x10 is refused", of("0x10"), canonical),
		refuses("the size 1_0 is refused", of("1_0"), canonical),
		refuses("a size with a space is refused", of("1 "), canonical),
		refuses("a size in other digits than ASCII is refused", of("١"), canonical),
		refuses("the size 2^63 is refused", of("9223372036854775808"), "2^63-1 is the limit"),
		refuses("the size 2^64-1 is refused", of("18446744073709551615"), "2^63-1 is the limit"),
		refuses("the size 2^64 is refused", of("18446744073709551616"), "2^63-1 is the limit"),
		refuses("a root of 31 bytes is refused", rooted(base64.StdEncoding.EncodeToString(make([]byte, 31))), "a root has 32 bytes"),
		refuses("a root of 33 bytes is refused", rooted(base64.StdEncoding.EncodeToString(make([]byte, 33))), "a root has 32 bytes"),
		refuses("a root without padding is refused", rooted(root[:43]), "base64 has one form only"),
		refuses("a root with stray bits is refused", rooted(root[:42]+"J="), "base64 has one form only"),
		refuses("a root in hexadecimal is refused", rooted(strings.Repeat("ab", 32)), "a root is in base64"),
		refuses("an empty extension line is refused", lines(origin, size, root, "", "last"), "no line is empty"),
		refuses("an empty line at the end is refused", lines(origin, size, root, ""), "no line is empty"),
		refuses("a last line without a newline is refused", strings.TrimSuffix(of(size), "\n"), "every line ends in a newline"),
		refuses("a last extension line without a newline is refused", of(size)+"last", "every line ends in a newline"),
		refuses("carriage returns are refused", strings.ReplaceAll(of(size), "\n", "\r\n"), "no control character but newline"),
		refuses("an origin that is not UTF-8 is refused", lines("\xff", size, root), "a note is UTF-8"),
	}
}

type cosignatureVector struct {
	title
	Key       string `json:"key"` // a vkey
	Text      string `json:"text"`
	Signature string `json:"signature"`      // a signature line
	Time      string `json:"time,omitempty"` // decimal, seconds since 1970
	verdict
}

func (v cosignatureVector) judge(t *testing.T) error {
	s, err := proofs.ParseSignatures([]byte(v.Signature))
	if err != nil {
		return err
	}
	unixTime, err := must(proofs.ParseKey(v.Key)).CheckSignature(v.Text, s[0])
	if err == nil {
		wantEqual(t, "time", strconv.FormatUint(unixTime, 10), v.Time)
	}
	return err
}

// A cosignatureMaker makes rows for one key and a text that it signed.
type cosignatureMaker struct {
	k    proofs.SigningKey
	text string
}

func (m cosignatureMaker) row(name, text string, s proofs.Signature, v verdict) cosignatureVector {
	line := string(proofs.FormatSignatures([]proofs.Signature{s}))
	return cosignatureVector{title{name}, m.k.Key().String(), text, line, "", v}
}

func (m cosignatureMaker) takes(name string, unixTime uint64) cosignatureVector {
	r := m.row(name, m.text, refSign(m.k, m.text, unixTime), accept())
	if r.Time = strconv.FormatUint(unixTime, 10); m.k.Key().Type() == proofs.Ed25519 {
		r.Time = "0"
	}
	return r
}

// refusesText has a right signature beside another text.
func (m cosignatureMaker) refusesText(name, text, why string) cosignatureVector {
	return m.row(name, text, refSign(m.k, m.text, testTime), notVerified(why))
}

// refuses has a signature that was changed.
func (m cosignatureMaker) refuses(name string, change func(s *proofs.Signature), why string) cosignatureVector {
	s := refSign(m.k, m.text, testTime)
	change(&s)
	return m.row(name, m.text, s, notVerified(why))
}

func cosignatureVectors() []cosignatureVector {
	text := checkpointText(7)
	var rows []cosignatureVector
	for _, typ := range keyTypes {
		m := cosignatureMaker{seededKey(testOrigin, typ), text}
		kind := ", " + typ.String()
		rows = append(rows,
			m.takes("a signature of a checkpoint is accepted"+kind, testTime),
			m.refusesText("another size is refused"+kind, checkpointText(8), "it was not signed"),
			m.refusesText("another origin is refused"+kind, strings.Replace(text, "audit", "audit2", 1), "it was not signed"),
			m.refusesText("an extension line that was added is refused"+kind, text+"extension\n", "it was not signed"),
			m.refuses("a signature with its last bit flipped is refused"+kind, func(s *proofs.Signature) { s.Bytes[len(s.Bytes)-1] ^= 1 }, "it is wrong"),
			m.refuses("a signature with a byte too many is refused"+kind, func(s *proofs.Signature) { s.Bytes = append(s.Bytes, 0) }, "it is too long"),
			m.refuses("a signature of one byte is refused"+kind, func(s *proofs.Signature) { s.Bytes = s.Bytes[:1] }, "it is too short"),
			m.refuses("a signature under the key ID of another key is refused"+kind, func(s *proofs.Signature) { s.KeyID ^= 1 }, "it is another key's"),
			m.refuses("a signature under another name is refused"+kind, func(s *proofs.Signature) { s.Name += "x" }, "it is another key's"),
		)
	}
	return append(append(rows, timeVectors(text)...), extensionVectors(text)...)
}

func timeVectors(text string) []cosignatureVector {
	var rows []cosignatureVector
	later := func(s *proofs.Signature) { s.Bytes[7]++ }
	for _, typ := range []proofs.KeyType{proofs.Ed25519Cosignature, proofs.MLDSA44} {
		m := cosignatureMaker{seededKey("w.example/1", typ), text}
		kind := ", " + typ.String()
		rows = append(rows,
			m.takes("the largest time is accepted"+kind, 1<<63-1),
			m.takes("time 0 is accepted"+kind, 0),
			m.refuses("a time one second later is refused"+kind, later, "the time is signed"),
			m.row("the time 2^63 is refused though it is signed"+kind, text, refSign(m.k, text, 1<<63),
				notVerified("2^63-1 is the limit")),
		)
	}
	return rows
}

func extensionVectors(text string) []cosignatureVector {
	extended := text + "extension\n"
	rows := []cosignatureVector{
		cosignatureMaker{seededKey(testOrigin, proofs.Ed25519), extended}.takes("extension lines are covered, Ed25519", testTime),
		cosignatureMaker{seededKey(testOrigin, proofs.Ed25519Cosignature), extended}.
			takes("extension lines are covered, Ed25519 cosignature", testTime),
	}
	pq := cosignatureMaker{seededKey(testOrigin, proofs.MLDSA44), text}
	other := pq.row("a signature by ML-DSA-44 where Ed25519 is due is refused", text, refSign(pq.k, text, testTime),
		notVerified("it is another key's"))
	other.Key = seededKey(testOrigin, proofs.Ed25519).Key().String()
	long := strings.Replace(text, testOrigin, strings.Repeat("o", 300), 1)
	wrapped := refSign(pq.k, strings.Replace(text, testOrigin, strings.Repeat("o", 255), 1), testTime)
	bad := cosignatureMaker{pq.k, text}.row("a text that is no checkpoint is refused, ML-DSA-44", "text\n", refSign(pq.k, text, testTime),
		malformed("there are three lines"))
	return append(rows, other, bad,
		pq.row("an origin of 300 bytes is refused, ML-DSA-44", long, wrapped, notVerified("255 bytes are what the message has room for")))
}
