package main

import (
	"bytes"
	"strings"
	"testing"
)

func TestParseResumeIsStrict(t *testing.T) {
	sum := strings.Repeat("0", 64)
	good := "cairn/v1 append progress\nrun a\nstream default\ndone 3\nhash " + sum + "\n"
	if _, err := parseResume([]byte(good)); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"empty":          "",
		"another header": strings.Replace(good, "v1", "v2", 1),
		"leading zeros":  strings.Replace(good, "done 3", "done 03", 1),
		"a line more":    good + "x\n",
		"cut off":        good[:len(good)-1],
		"other order":    "cairn/v1 append progress\nstream default\nrun a\ndone 3\nhash " + sum + "\n",
	} {
		if r, err := parseResume([]byte(text)); err == nil {
			t.Errorf("%s: got %+v, want an error", name, r)
		}
	}
}

func FuzzParseResume(f *testing.F) {
	f.Add([]byte("cairn/v1 append progress\nrun a\nstream default\ndone 3\nhash 00\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := parseResume(b)
		if err != nil {
			return
		}
		if again := r.format(); !bytes.Equal(again, b) {
			t.Fatalf("%q became %q", b, again)
		}
	})
}
