package client_test

import (
	"testing"

	"github.com/cairnlog/cairn/client"
)

func TestACallAsksWithItsQuery(t *testing.T) {
	h, s := dial(t, answers(200, `{"acts":[]}`), answers(200, `{}`))
	entry := uint64(0)
	if _, err := h.History(t.Context(), client.HistoryQuery{Entry: &entry, Who: "a b&c"}); err != nil {
		t.Fatal(err)
	}
	if err := h.Call(t.Context(), "POST", "/v1/x:y", struct{}{}, nil); err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{"https://log.example.com/prefix/v1/history?entry=0&who=a+b%26c", "https://log.example.com/prefix/v1/x:y"} {
		if got := s.requests[i].URL.String(); got != want {
			t.Errorf("asked for %s, want %s", got, want)
		}
	}
	if err := h.Call(t.Context(), "GET", "/v1/x?%zz", nil, nil); err == nil || len(s.requests) != 2 {
		t.Errorf("a query that is none was sent: error %v", err)
	}
}
