package keytree_test

import (
	"bytes"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/cairnlog/cairn/ledger/keytree"
)

// The reference is the definition of the package comment, word for word: bits
// are strings of '0' and '1', and nothing is ever remembered.

func refExpand(value []byte, label string) []byte {
	return must(hkdf.Expand(sha256.New, value, label, 32))
}

// refNode returns the node at a string of bits below the root.
func refNode(root []byte, bits string) []byte {
	for _, bit := range bits {
		label := map[rune]string{'0': "cairn/v1 key tree left", '1': "cairn/v1 key tree right"}[bit]
		root = refExpand(root, label)
	}
	return root
}

func refKey(root []byte, bits string) []byte {
	return refExpand(refNode(root, bits), "cairn/v1 key tree key")
}

func refHandle(root []byte, stream uint32, subject string, generation uint32) []byte {
	h := hmac.New(sha256.New, refKey(root, "00000011"))
	h.Write(binary.BigEndian.AppendUint32(nil, stream))
	h.Write(binary.BigEndian.AppendUint32(nil, generation))
	h.Write([]byte(subject))
	return h.Sum(nil)[:8]
}

// A heldNode is a node of a state as its format describes it.
type heldNode struct {
	bits  string
	value []byte
}

// refState reads a state without asking whether it is canonical.
func refState(t testing.TB, state []byte) (epoch uint64, nodes []heldNode) {
	t.Helper()
	if state[0] != 1 || int(binary.BigEndian.Uint32(state[9:])) != len(state)-13 {
		t.Fatalf("state begins with %x", state[:13])
	}
	for b := state[13:]; len(b) > 0; {
		depth, size := int(b[0]), (int(b[0])+7)/8
		var bits strings.Builder
		for _, c := range b[1 : 1+size] {
			fmt.Fprintf(&bits, "%08b", c)
		}
		nodes = append(nodes, heldNode{bits.String()[:depth], b[1+size : 1+size+32]})
		b = b[1+size+32:]
	}
	return binary.BigEndian.Uint64(state[1:]), nodes
}

// refHeld returns what a tree holds after paths were destroyed: every largest
// subtree in which none of them is.
func refHeld(root []byte, bits string, destroyed []string) []heldNode {
	inside := false
	for _, d := range destroyed {
		if strings.HasPrefix(bits, d) {
			return nil
		}
		inside = inside || strings.HasPrefix(d, bits)
	}
	if !inside {
		return []heldNode{{bits, refNode(root, bits)}}
	}
	return append(refHeld(root, bits+"0", destroyed), refHeld(root, bits+"1", destroyed)...)
}

// A place is a bucket, a subject or a hold, or one of its keys, in the words of
// users.
type place struct {
	Stream uint32 `json:"stream"`
	Class  uint16 `json:"class,omitempty"`
	Period uint32 `json:"period,omitempty"`
	Handle string `json:"handle,omitempty"` // in hexadecimal, for a subject
	Hold   string `json:"hold,omitempty"`   // its index in decimal, for a hold
	Search string `json:"search,omitempty"` // its generation in decimal, for a search index
	Use    string `json:"use,omitempty"`    // empty: all of them
}

func (p place) path() keytree.Path {
	path := keytree.Bucket(p.Stream, p.Class, p.Period)
	if p.Handle != "" {
		path = keytree.Subject(p.Stream, keytree.Handle(must(hex.DecodeString(p.Handle))))
	}
	if p.Hold != "" {
		path = keytree.Hold(must(strconv.ParseUint(p.Hold, 10, 64)))
	}
	if p.Search != "" {
		path = keytree.Search(must(strconv.ParseUint(p.Search, 10, 64)))
	}
	for _, u := range []keytree.Use{keytree.Sealing, keytree.Tags, keytree.Deduplication} {
		if u.String() == p.Use {
			return path.For(u)
		}
	}
	return path
}

func (p place) bits() string {
	use := map[string]string{"": "", "sealing": "00", "tags": "01", "deduplication": "10"}[p.Use]
	if p.Handle != "" {
		handle := binary.BigEndian.Uint64(must(hex.DecodeString(p.Handle)))
		return fmt.Sprintf("%08b%032b%064b", 2, p.Stream, handle) + use
	}
	if p.Hold != "" {
		return fmt.Sprintf("%08b%064b", 4, must(strconv.ParseUint(p.Hold, 10, 64))) + use
	}
	if p.Search != "" {
		return fmt.Sprintf("%08b%064b", 5, must(strconv.ParseUint(p.Search, 10, 64))) + use
	}
	return fmt.Sprintf("%08b%032b%016b%032b", 1, p.Stream, p.Class, p.Period) + use
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// sameNodes says whether two lists of nodes are the same.
func sameNodes(a, b []heldNode) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i].bits != b[i].bits || !bytes.Equal(a[i].value, b[i].value) {
			return false
		}
	}
	return true
}
