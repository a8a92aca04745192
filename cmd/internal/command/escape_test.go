package command

import (
	"bytes"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestEscapeLeavesATerminalNothingToObey(t *testing.T) {
	tests := []struct{ name, in, want string }{
		{"plain text stays", `alice logged in: {"a":"b\\c"}`, `alice logged in: {"a":"b\\c"}`},
		{"other scripts stay", "Grüße, 世界, مرحبا, 🪨", "Grüße, 世界, مرحبا, 🪨"},
		{"a colour (CSI)", "\x1b[31mred\x1b[0m", `\x1b[31mred\x1b[0m`},
		{"a window title (OSC)", "\x1b]0;owned\x07", `\x1b]0;owned\x07`},
		{"a link (OSC 8)", "\x1b]8;;http://x\x1b\\y", `\x1b]8;;http://x\x1b\y`},
		{"C1 as one character", "a\u009b31mb", `a\u009b31mb`},
		{"C1 as one byte", "a\x9b31mb", `a\x9b31mb`},
		{"carriage return and backspace", "ok\rno\b\b", `ok\x0dno\x08\x08`},
		{"line feed and tab", "a\nb\tc", `a\x0ab\x09c`},
		{"DEL and NUL", "\x7f\x00", `\x7f\x00`},
		{"right-to-left override", "user\u202egnp.exe", `user\u202egnp.exe`},
		{"isolates", "\u2066a\u2067b\u2068c\u2069", `\u2066a\u2067b\u2068c\u2069`},
		{"zero width", "pay\u200bpal \ufeff\u200d", `pay\u200bpal \ufeff\u200d`},
		{"Arabic letter mark", "\u061c", `\u061c`},
		{"line separators", "a\u2028b\u2029", `a\u2028b\u2029`},
		{"a space that is none", "a\u00a0b", `a\u00a0b`},
		{"tags", "a\U000e0041", `a\U000e0041`},
		{"private use", "\ue000", `\ue000`},
		{"bytes that are not UTF-8", "\xff\xc0\xaf", `\xff\xc0\xaf`},
		{"half a character", "\xe2\x82", `\xe2\x82`},
		{"the replacement character itself", "\ufffd", "\ufffd"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := Escape(tt.in); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestEscapeTextKeepsLines(t *testing.T) {
	if got, want := EscapeText("a\tb\r\nc\x1b"), "a\tb\\x0d\nc\\x1b"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestTableEscapesItsCells(t *testing.T) {
	var b bytes.Buffer
	table := NewTable(&b)
	table.Row("origin", "a\tb\nc")
	table.Row("x", "y")
	if err := table.Flush(); err != nil {
		t.Fatal(err)
	}
	if got, want := b.String(), "origin  a\\x09b\\x0ac\nx       y\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func FuzzEscape(f *testing.F) {
	for _, s := range []string{"", "a", "\x1b[0m", "\u202e", "\xff", "a\nb", "\u009b"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for _, got := range []string{Escape(s), EscapeText(s)} {
			if !utf8.ValidString(got) {
				t.Fatalf("%q became %q, which is not UTF-8", s, got)
			}
			for _, r := range got {
				control := r < 0x20 && r != '\n' && r != '\t' || r >= 0x7f && r < 0xa0
				hidden := r >= 0x200b && r <= 0x200f || r >= 0x2028 && r <= 0x202e || r >= 0x2066 && r <= 0x2069 || r == 0xfeff || r == 0x61c
				if control || hidden {
					t.Fatalf("%q became %q, which has %U", s, got, r)
				}
			}
		}
		got := Escape(s)
		if strings.ContainsAny(got, "\n\t") {
			t.Fatalf("%q became %q, which is not one line", s, got)
		}
		if again := Escape(got); again != got {
			t.Fatalf("%q became %q and then %q", s, got, again)
		}
	})
}
