package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/cmd/internal/command"
	"github.com/cairnlog/cairn/ledger"
	"github.com/cairnlog/cairn/proofs"
)

// TestALedgerThatShowsOtherTagsIsCaught: whoever makes directories again believes
// only tags that the entries commit to.
func TestALedgerThatShowsOtherTagsIsCaught(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes thousands of entries")
	}
	s := newSearched(t)
	for range 9 {
		var events []client.Event
		for i := range 1000 {
			events = append(events, client.Event{Data: fmt.Appendf(nil, `{"actor":"user%d","action":"login"}`, i)})
		}
		if _, err := s.world.Ledger.As(ledger.Caller{Name: "app"}).Append(t.Context(), "logins", events, client.Witnessed); err != nil {
			t.Fatal(err)
		}
	}
	honest := s.env["CAIRN_URL"]
	search := []string{"search", "--complete", "--stream", "logins", "actor:user7", "--end", "4000", "--recompute"}
	if stdout := s.must("reader", search...); !strings.Contains(stdout, "found       4 events\n") || !strings.Contains(stdout, ": recomputed\n") {
		t.Errorf("got\n%s", stdout)
	}
	for what, c := range map[string]struct {
		change func(*proofs.ShownDirectory)
		want   string
	}{
		"an entry less": {func(d *proofs.ShownDirectory) { d.Tags = slices.Delete(d.Tags, 7, 8) }, "its tags are not shown"},
		"other tags":    {func(d *proofs.ShownDirectory) { d.Tags[7].Lists = d.Tags[8].Lists }, "what is shown of its tags is not what it commits to"},
	} {
		s.env["CAIRN_URL"] = honest
		s.cheatAs(client.ShownDirectoryType, func(b []byte) []byte {
			d, err := proofs.ParseShownDirectory(b)
			if err != nil {
				t.Error(err)
			}
			c.change(&d)
			if b, err = proofs.FormatShownDirectory(d); err != nil {
				t.Error(err)
			}
			return b
		})
		kept := filepath.Join(t.TempDir(), "proof")
		status, stdout, stderr := s.run("reader", append(search, "-o", kept)...)
		if status != command.No || stdout != "" || !strings.Contains(stderr, c.want) {
			t.Errorf("%s: got status %d and\n%s%s, want %q and nothing else", what, status, stdout, stderr, c.want)
		}
		if _, err := os.Stat(kept); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: a proof was kept: %v", what, err)
		}
		if status, stdout, _ = s.run("auditor", "audit", "--directories", "all"); status != command.No || !strings.Contains(stdout, "directory-unshown  Entry ") {
			t.Errorf("%s: the auditor gets status %d and\n%s", what, status, stdout)
		}
	}
}
