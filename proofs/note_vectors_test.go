package proofs_test

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"

	"github.com/cairnlog/cairn/proofs"
)

type keyVector struct {
	title
	Key string     `json:"key"` // a vkey
	Is  *keyFields `json:"is,omitempty"`
	verdict
}

type keyFields struct {
	Name   string `json:"name"`
	ID     string `json:"id"`
	Type   uint8  `json:"type"`
	Public string `json:"public"` // hexadecimal
}

func (v keyVector) judge(t *testing.T) error {
	k, err := proofs.ParseKey(v.Key)
	if err == nil {
		wantEqual(t, "key", fieldsOfKey(k), *v.Is)
		wantEqual(t, "formatted", k.String(), v.Key)
	}
	return err
}

func fieldsOfKey(k proofs.Key) keyFields {
	return keyFields{k.Name(), fmt.Sprintf("%08x", k.ID()), uint8(k.Type()), hex.EncodeToString(k.Public())}
}

func keyVectors() []keyVector {
	takes := func(name string, k proofs.Key) keyVector {
		is := fieldsOfKey(k)
		return keyVector{title{name}, k.String(), &is, accept()}
	}
	refuses := func(name, key, why string) keyVector { return keyVector{title{name}, key, nil, malformed(why)} }
	log := seededKey(testOrigin, proofs.Ed25519).Key()
	vkey, id := log.String(), fmt.Sprintf("%08x", log.ID())
	const c2sp = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
	typed := func(typ byte, size int) string { // a key without regard to its ID
		return "a+00000000+" + base64.StdEncoding.EncodeToString(append([]byte{typ}, make([]byte, size)...))
	}
	return []keyVector{
		takes("the key in the signed-note specification is accepted", must(proofs.ParseKey(c2sp))),
		takes("an Ed25519 key of a log is accepted", log),
		takes("an Ed25519 cosignature key of a witness is accepted", seededKey("w.example/1", proofs.Ed25519Cosignature).Key()),
		takes("an ML-DSA-44 key is accepted", seededKey("w.example/1", proofs.MLDSA44).Key()),
		takes("a name may hold any letter", seededKey("журнал.example", proofs.Ed25519).Key()),
		refuses("a key ID of zeros is refused", strings.Replace(vkey, id, "00000000", 1), "it is computed from name, type and public key"),
		refuses("the key ID of the same key under another name is refused", "x"+vkey, "it is computed from name, type and public key"),
		refuses("a key ID in upper case is refused", strings.Replace(vkey, id, strings.ToUpper(id), 1), "hexadecimal is in lower case"),
		refuses("a key ID with a digit less is refused", strings.Replace(vkey, id, id[1:], 1), "it has eight digits"),
		refuses("a key without a name is refused", vkey[len(testOrigin):], "a name is not empty"),
		refuses("a space in the name is refused", "a "+vkey, "a name holds no space"),
		refuses("a no-break space in the name is refused", "a\u00a0"+vkey, "a name holds no Unicode space"),
		refuses("a control character in the name is refused", "a\x01"+vkey, "no note could carry the name"),
		refuses("an ML-DSA-44 name of 256 bytes is refused", strings.Repeat("n", 256)+typed(6, 1312)[1:], "255 bytes are what the signed message has room for"),
		refuses("material without padding is refused", vkey[:len(vkey)-1], "base64 has one form only"),
		refuses("material with a newline within is refused", vkey[:len(vkey)-8]+"\n"+vkey[len(vkey)-8:], "base64 has one form only"),
		refuses("material with stray bits is refused", "a+00000000+AB==", "base64 has one form only"),
		refuses("a key without material is refused", testOrigin+"+"+id+"+", "there is a type at least"),
		refuses("a key without an ID is refused", testOrigin, "there are three parts"),
		refuses("a newline behind the key is refused", vkey+"\n", "nothing may follow"),
		refuses("an ECDSA key is refused", typed(0x02, 91), "the type is not supported"),
		refuses("a key of an RFC 6962 log is refused", typed(0x05, 91), "the type is not supported"),
		refuses("a key of the long types is refused", typed(0xff, 32), "the type is not supported"),
		refuses("an Ed25519 key of 31 bytes is refused", typed(0x01, 31), "it has 32 bytes"),
		refuses("an ML-DSA-44 key of 32 bytes is refused", typed(0x06, 32), "it has 1312 bytes"),
	}
}

type noteVector struct {
	title
	Note octets      `json:"note"`
	Is   *noteFields `json:"is,omitempty"`
	verdict
}

type noteFields struct {
	Text       string            `json:"text"`
	Signatures []signatureFields `json:"signatures"`
}

type signatureFields struct {
	Name  string `json:"name"`
	KeyID string `json:"key_id"`
	Bytes string `json:"bytes"` // hexadecimal
}

func (v noteVector) judge(t *testing.T) error {
	n, err := proofs.ParseNote([]byte(v.Note))
	if err == nil {
		wantEqual(t, "note", fmt.Sprint(fieldsOfNote(n)), fmt.Sprint(*v.Is))
		wantEqual(t, "formatted", string(proofs.FormatNote(n)), string(v.Note))
	}
	return err
}

func fieldsOfNote(n proofs.Note) noteFields {
	f := noteFields{Text: n.Text}
	for _, s := range n.Signatures {
		f.Signatures = append(f.Signatures, signatureFields{s.Name, fmt.Sprintf("%08x", s.KeyID), hex.EncodeToString(s.Bytes)})
	}
	return f
}

func noteVectors() []noteVector {
	const signature = "— quasimodo.example/salvatore NnugSzTjtVAewIS+Z/iJhUPeFDkO/5QQ2i5ddnGITLlC+EhfLW9oJKONrMouFSQU0xMcXxj99ihAQwaqP3ZekRwNtIc=\n"
	const poem = "Ognuno sta solo sul cuor della terra\ntrafitto da un raggio di sole:\n\ned è subito sera.\n"
	takes := func(name, note string) noteVector {
		is := fieldsOfNote(must(proofs.ParseNote([]byte(note))))
		return noteVector{title{name}, octets(note), &is, accept()}
	}
	refuses := func(name, note, why string) noteVector {
		return noteVector{title{name}, octets(note), nil, malformed(why)}
	}
	short := "a\n\n— k AAAAAAA=\n"
	return []noteVector{
		takes("the first note in the specification is accepted, and split at the last empty line", poem+"\n"+signature),
		takes("a note whose text is one newline is accepted", "\n\n— k AAAAAAA=\n"),
		takes("a text that ends in empty lines is accepted", "a\n\n\n\n— k AAAAAAA=\n"),
		takes("a text that looks like signatures is accepted", "— k AAAAAAA=\n\n— k AAAAAAA=\n"),
		takes("the delete character is accepted", "a\x7f\n\n— k AAAAAAA=\n"),
		takes("two signatures by one key are accepted", short+"— k AAAAAAE=\n"),
		takes("signatures that share a name, or a key ID, are accepted", short+"— k BBBBBBA=\n— l AAAAAAE=\n"),
		takes("seventeen signatures are accepted", short+strings.Repeat("— w AAAAAQA=\n", 16)),
		refuses("no bytes at all are refused", "", "there is a text"),
		refuses("a text without signatures is refused", poem, "there is a signature at least"),
		refuses("an empty line after the text and no signature is refused", poem+"\n", "there is a signature at least"),
		refuses("a signature without a text is refused", "\n"+signature, "the text ends in a newline"),
		refuses("a signature right behind the text is refused", "a\n"+signature, "an empty line is between them"),
		refuses("an empty line behind the signatures is refused", short+"\n", "the last empty line is before the signatures"),
		refuses("an empty line between signatures is refused", "a\n\n\n— k AAAAAAA=\nb\n— k AAAAAAA=\n", "only signatures follow the last empty line"),
		refuses("a last line without a newline is refused", strings.TrimSuffix(short, "\n"), "a signature line ends in a newline"),
		refuses("a signature line of a hyphen is refused", "a\n\n- k AAAAAAA=\n", "it begins with an em dash"),
		refuses("a signature line of an em dash without a space is refused", "a\n\n—k AAAAAAA=\n", "a space follows the em dash"),
		refuses("a signature line without a name is refused", "a\n\n—  AAAAAAA=\n", "a name is not empty"),
		refuses("a plus in a name is refused", "a\n\n— k+l AAAAAAA=\n", "a name holds no plus"),
		refuses("an ideographic space in a name is refused", "a\n\n— k\u3000l AAAAAAA=\n", "a name holds no Unicode space"),
		refuses("two spaces before the signature are refused", "a\n\n— k  AAAAAAA=\n", "there is one space"),
		refuses("a space behind the signature is refused", "a\n\n— k AAAAAAA= \n", "nothing follows the signature"),
		refuses("a signature line without a signature is refused", "a\n\n— k\n", "a signature follows the name"),
		refuses("a signature without padding is refused", "a\n\n— k AAAAAAA\n", "base64 has one form only"),
		refuses("a signature with stray bits is refused", "a\n\n— k AAAAAAB=\n", "base64 has one form only"),
		refuses("a signature in URL-safe base64 is refused", "a\n\n— k AAAAAA-_\n", "the alphabet is the standard one"),
		refuses("a signature of four bytes is refused", "a\n\n— k AAAAAA==\n", "something follows the key ID"),
		refuses("a carriage return is refused", "a\r\n\n— k AAAAAAA=\n", "no control character but newline"),
		refuses("a tab in the text is refused", "a\tb\n\n— k AAAAAAA=\n", "no control character but newline"),
		refuses("a zero byte in the text is refused", "a\x00\n\n— k AAAAAAA=\n", "no control character but newline"),
		refuses("text that is not UTF-8 is refused", "a\xff\n\n— k AAAAAAA=\n", "a note is UTF-8"),
		refuses("a surrogate in UTF-8 is refused", "a\xed\xa0\x80\n\n— k AAAAAAA=\n", "a note is UTF-8"),
	}
}
