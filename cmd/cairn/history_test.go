package main

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/cmd/internal/command"
	"github.com/cairnlog/cairn/ledger"
	"github.com/cairnlog/cairn/proofs"
)

// behind puts a proxy before the ledger that changes its histories.
func (s *session) behind(change func(*client.History)) {
	s.t.Helper()
	to, err := url.Parse(s.env["CAIRN_URL"])
	if err != nil {
		s.t.Fatal(err)
	}
	proxy := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(to) },
		ModifyResponse: func(res *http.Response) error {
			if res.Request.URL.Path != "/v1/history" || res.StatusCode != http.StatusOK {
				return nil
			}
			var h client.History
			if err := json.NewDecoder(res.Body).Decode(&h); err != nil {
				return err
			}
			change(&h)
			b, err := json.Marshal(h)
			res.Body = io.NopCloser(bytes.NewReader(b))
			res.ContentLength = int64(len(b))
			res.Header.Del("Content-Length")
			return err
		},
	}
	server := httptest.NewServer(proxy)
	s.t.Cleanup(server.Close)
	s.env["CAIRN_URL"] = server.URL
}

// readers reads an entry as two identities, and returns its index.
func (s *session) readers() string {
	s.t.Helper()
	index, _, _ := strings.Cut(s.must("writer", "append", "{}"), " ")
	s.must("reader", "get", index)
	s.must("reader", "tail", "--from", "0", "--count", "1")
	return index
}

func TestHistoryShowsNothingThatDoesNotVerify(t *testing.T) {
	s := newSession(t)
	index, honest := s.readers(), s.env["CAIRN_URL"]
	for name, tt := range map[string]struct {
		change func(*client.History)
		want   string
	}{
		"somebody else did it":       {func(h *client.History) { h.Acts[0].Act.Who = "bob" }, "does not verify"},
		"it was for another reason":  {func(h *client.History) { h.Acts[0].Act.Because = "a court's order" }, "does not verify"},
		"it was long ago":            {func(h *client.History) { h.Acts[0].Time -= 1_000_000 }, "does not verify"},
		"it is of another entry":     {func(h *client.History) { h.Acts[0].Index -= 2 }, "does not verify"},
		"nothing shows it":           {func(h *client.History) { h.Acts[0].Leaf, h.Acts[0].Disclosure = nil, nil }, "malformed"},
		"the first comes last":       {func(h *client.History) { slices.Reverse(h.Acts) }, "at the wrong place"},
		"one comes twice":            {func(h *client.History) { h.Acts = append(h.Acts[:1], h.Acts[0]) }, "at the wrong place"},
		"the next page is this":      {func(h *client.History) { h.Acts, h.Next = nil, new(uint64) }, "is not behind this one"},
		"the next page is far ahead": {func(h *client.History) { n := uint64(1) << 40; h.Next = &n }, "is not behind this one"},
	} {
		s.env["CAIRN_URL"] = honest
		s.behind(tt.change)
		status, stdout, stderr := s.run("auditor", "history", "--entry", index)
		if status != command.No || stdout != "" || !strings.Contains(stderr, tt.want) {
			t.Errorf("%s: got status %d, %q and %q, want %d and %q", name, status, stdout, stderr, command.No, tt.want)
		}
	}
}

// A server that shows other acts than were asked for shows too much, which is
// passed over.
func TestHistoryShowsOnlyWhatWasAskedFor(t *testing.T) {
	s := newSession(t)
	index := s.readers()
	_, log := s.verifierOf("auditor")
	all, err := log.(*client.HTTP).History(t.Context(), client.HistoryQuery{})
	if err != nil {
		t.Fatal(err)
	}
	s.behind(func(h *client.History) { h.Acts = all.Acts })
	if got := s.must("auditor", "history", "--entry", index, "--what", "read"); strings.Count(got, "\n") != 2 || !strings.Contains(got, " read ") {
		t.Errorf("got\n%s, want the one read", got)
	}
}

func TestCompleteHistoryFindsWhatIsLeftOut(t *testing.T) {
	s := newSession(t)
	index := s.readers()
	s.must("auditor", "history", "--complete", "--entry", index)
	s.behind(func(h *client.History) {
		h.Acts = slices.DeleteFunc(h.Acts, func(r client.RecordedAct) bool { return r.Act.What == proofs.ActRead })
	})
	if got := s.must("auditor", "history", "--entry", index); strings.Contains(got, " read ") {
		t.Fatalf("got\n%s, want that the server left something out", got)
	}
	status, stdout, stderr := s.run("auditor", "history", "--complete", "--entry", index)
	if status != command.No || !strings.Contains(stdout, " tail ") || !strings.Contains(stderr, "1 of the entries 0 to ") || !strings.Contains(stderr, "record acts that the ledger does not show") {
		t.Errorf("got status %d, %q and %q, want %d and that one is left out", status, stdout, stderr, command.No)
	}
}

func TestHistoryShowsWhatIsCoveredAndSaysThatThereIsMore(t *testing.T) {
	s := newSession(t)
	index := s.readers()
	s.must("auditor", "history", "--entry", index)
	s.world.Witness.Silence(true)
	_, log := s.verifierOf("reader")
	if _, err := log.Entry(t.Context(), mustIndex(t, index)); err != nil {
		t.Fatal(err)
	}
	s.publishing = 1 // a nanosecond
	status, stdout, stderr := s.run("auditor", "history", "--entry", index)
	if status != command.Unknown || strings.Count(stdout, "\n") != 3 || !strings.Contains(stderr, client.ErrNotCovered.Error()) {
		t.Errorf("got status %d, %q and %q, want %d, two acts and that another is not covered yet", status, stdout, stderr, command.Unknown)
	}
}

func mustIndex(t *testing.T, text string) uint64 {
	t.Helper()
	index, err := parseIndex(text)
	if err != nil {
		t.Fatal(err)
	}
	return index
}

func TestTableOfActsLeavesATerminalNothingToObey(t *testing.T) {
	row := actRow(client.RecordedAct{Index: 7, Act: proofs.Act{
		What: "refused", Who: "\x1b]0;owned\x07", Object: "GET /x\n", Results: 40, Outcome: "refused", Detail: "forbidden", Because: "\u202e",
		Entries: []proofs.Run{{First: 1, Last: 1}, {First: 3, Last: 9}, {First: 11, Last: 11}, {First: 13, Last: 13}, {First: 15, Last: 15}, {First: 17, Last: 17}, {First: 19, Last: 1000}},
	}})
	var b bytes.Buffer
	table := command.NewTable(&b)
	table.Row(row...)
	if err := table.Flush(); err != nil {
		t.Fatal(err)
	}
	const want = `7  1970-01-01T00:00:00Z  \x1b]0;owned\x07  -  -  refused  entries 1, 3-9, 11, 13, 15, 17 and more, 994 in all GET /x\x0a 40 attempts  refused: forbidden  \u202e` + "\n"
	if b.String() != want {
		t.Errorf("got %q, want %q", b.String(), want)
	}
}

// firstAt is held to a search from the front.
func TestTimesAreFoundInTheTree(t *testing.T) {
	s := newSession(t)
	for range 3 { // batches, of a time each
		events := slices.Repeat([]client.Event{{Data: []byte("{}")}}, 250)
		if _, err := s.world.Ledger.As(ledger.Caller{Name: "app"}).Append(t.Context(), ledger.DefaultStream, events, client.Witnessed); err != nil {
			t.Fatal(err)
		}
	}
	v, _ := s.verifierOf("")
	view, err := v.Update(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var taken []uint64
	for b, err := range view.Reader.Leaves(t.Context(), 0, view.Checkpoint.Size) {
		if err != nil {
			t.Fatal(err)
		}
		leaf, err := proofs.ParseLeaf(b)
		if err != nil {
			t.Fatal(err)
		}
		taken = append(taken, leaf.Time)
	}
	asked := slices.Compact(slices.Clone(taken))
	if len(asked) < 4 || len(taken) < 750 {
		t.Fatalf("%d entries of %d times are too few", len(taken), len(asked))
	}
	for _, at := range asked {
		for _, micros := range []uint64{0, at - 1, at, at + 1} {
			for _, size := range []int{0, 1, 256, 257, len(taken)} {
				want, _ := slices.BinarySearch(taken[:size], micros)
				if got, err := firstAt(t.Context(), view.Reader, uint64(size), micros); err != nil || got != uint64(want) {
					t.Errorf("time %d among %d: got %d, %v, want %d", micros, size, got, err, want)
				}
			}
		}
	}
}

func TestTimesAreReadAsTheyAreMeant(t *testing.T) {
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	p := &program{clock: func() time.Time { return now }}
	for text, want := range map[string]time.Time{
		"2026-11-01":                  time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC),
		"2026-11-01T10:00:00+02:00":   time.Date(2026, 11, 1, 8, 0, 0, 0, time.UTC),
		"2026-11-01T10:00:00.000001Z": time.Date(2026, 11, 1, 10, 0, 0, 1000, time.UTC),
		"36h":                         now.Add(-36 * time.Hour),
		"7d":                          now.AddDate(0, 0, -7),
		"-24h":                        now.Add(-24 * time.Hour),
	} {
		if got, err := p.parseTime("--since", text); err != nil || got != uint64(want.UnixMicro()) {
			t.Errorf("%s: got %d, %v, want %v", text, got, err, want)
		}
	}
	for _, text := range []string{"", "now", "--1h", "-1.5d", "1.5d", "99999d", "2026-13-01", "1969-12-31", "23.11.2026"} {
		if got, err := p.parseTime("--since", text); !command.IsUsage(err) {
			t.Errorf("%q: got %d, %v, want that it is no time", text, got, err)
		}
	}
}
