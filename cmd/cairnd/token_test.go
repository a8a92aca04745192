package main

import (
	"bytes"
	"testing"
	"time"

	"github.com/cairnlog/cairn/cmd/internal/command"
)

func TestTokensThatHaveExpiredAreMarked(t *testing.T) {
	a := newArchive(t)
	a.token("day", "auditor", "--days", "1")
	a.token("week", "auditor", "--days", "7")
	inDays := func(days int, line string) string {
		var out, talk bytes.Buffer
		p := newProgram(nil, &out, &talk)
		p.clock = func() time.Time { return time.Now().AddDate(0, 0, days) }
		if status := p.run(t.Context(), append(words(line), "--dir", a.dir)); status != command.Yes {
			t.Fatalf("cairnd %s: got exit status %d: %s", line, status, &talk)
		}
		return out.String()
	}
	const none = `^[^,]*$`
	a.wants(inDays(0, "token list"), none)
	a.wants(inDays(2, "token list"), `(?m) day .*, expired$`, `(?m) week [^,]*$`, `(?m) app .* never$`)
	a.wants(inDays(2, "token list --json"), `(?s)"name": "day"[^}]*"expired": true\s+}`, `(?s)"name": "week"[^}]*"expires": "[^"]*"\s+}`)
}
