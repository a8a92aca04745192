package proofs_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/cairnlog/cairn/proofs"
)

// Binding and MakeTag are the longest and the barest use of HMAC: one has a
// label and several parts, the other has neither.

func TestHMACIsTheStandardLibrarysForEveryLength(t *testing.T) {
	message := make([]byte, 2000)
	for i := range message {
		message[i] = byte(i * 7)
	}
	id := proofs.EntryID{1, 2, 3}
	for n := range message {
		key := proofs.Key256(sha256.Sum256(message[:n]))
		part := message[:n]

		h := hmac.New(sha256.New, key[:])
		h.Write([]byte("cairn/v1 binding\n"))
		h.Write(id[:])
		h.Write(binary.BigEndian.AppendUint32([]byte{9}, uint32(n)))
		h.Write(part)
		if got, want := proofs.Binding(&key, id, 9, part), proofs.Hash(h.Sum(nil)); got != want {
			t.Fatalf("binding of %d bytes: got %v, want %v", n, got, want)
		}

		h = hmac.New(sha256.New, key[:])
		h.Write(part)
		tag := proofs.MakeTag(1, &key, part)
		if got, want := tag.Value[:], h.Sum(nil)[:proofs.TagSize]; !bytes.Equal(got, want) {
			t.Fatalf("tag of %d bytes: got %x, want %x", n, got, want)
		}
	}
}

func TestNoVerbShowsASecret(t *testing.T) {
	key := proofs.Key256([]byte("0123456789abcdef0123456789abcdef"))
	holder := proofs.SubjectKey{Key: key}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "% x", "%d", "%o", "%b", "%c", "%U", "%t"} {
		for _, v := range []any{key, &key, holder, []proofs.Key256{key}} {
			got := fmt.Sprintf(verb, v)
			for _, leak := range []string{"0123", "3031", "48 49", "48, 49", "0x30", "60 61", "U+0030", "0 1 2"} {
				if strings.Contains(got, leak) {
					t.Errorf("%s of %T: got %s", verb, v, got)
				}
			}
			if !strings.Contains(got, "(secret)") {
				t.Errorf("%s of %T: got %s, want (secret)", verb, v, got)
			}
		}
	}
}

func TestNoEncoderWritesASecret(t *testing.T) {
	key := proofs.Key256([]byte("0123456789abcdef0123456789abcdef"))
	if b, err := json.Marshal(key); err == nil {
		t.Errorf("json.Marshal: got %s, want an error", b)
	}
	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Info("key", "key", key)
	if strings.Contains(log.String(), "48,49") || strings.Contains(log.String(), "0123") {
		t.Errorf("slog: got %s", log.String())
	}
}
