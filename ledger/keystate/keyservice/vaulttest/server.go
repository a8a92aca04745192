// Package vaulttest is a Vault for tests: its transit engine, as far as it is
// needed to wrap cells and to destroy versions of a key, over the real HTTP
// protocol, with the same refusals. Its keys are in memory, and a version that
// was trimmed is nowhere any more.
//
// A [Server] can fail: a request may find it sealed, or gone before or after it
// did what it was asked to.
package vaulttest

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
)

// A Server is a running Vault. It has the transit engine at "transit".
type Server struct {
	URL   string
	Token string // has every permission

	server *httptest.Server

	mu       sync.Mutex
	keys     map[string]*key
	requests []string
	fail     map[int]Failure // by the number of the request
}

// A Failure is a way in which a request ends.
type Failure int

// The ways in which a request ends.
const (
	None   Failure = iota
	Sealed         // refused with status 503
	Gone           // the connection breaks before anything was done
	Lost           // the connection breaks after all was done
)

// Failures returns all but [None].
func Failures() []Failure { return []Failure{Sealed, Gone, Lost} }

// String says what happens.
func (f Failure) String() string {
	return [...]string{"is answered", "finds it sealed", "finds it gone", "loses the answer"}[f]
}

// Start starts a Vault on loopback that has transit keys of these names.
func Start(keys ...string) *Server {
	s := &Server{Token: "hvs." + rand.Text(), keys: make(map[string]*key), fail: make(map[int]Failure)}
	for _, name := range keys {
		s.keys[name] = newKey()
	}
	s.server = httptest.NewServer(s)
	s.URL = s.server.URL
	return s
}

// Close stops it.
func (s *Server) Close() { s.server.Close() }

// Fail lets the request of a number, counted from 0 on, end so.
func (s *Server) Fail(number int, how Failure) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fail[number] = how
}

// Requests returns the requests that there were, such as
// "POST /v1/transit/encrypt/k".
func (s *Server) Requests() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.requests...)
}

// Exportable makes a key exportable, as its owner can.
func (s *Server) Exportable(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.keys[name].Exportable = true
}

// Versions returns how many versions of a key there are.
func (s *Server) Versions(name string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.keys[name].secrets)
}

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	how := s.fail[len(s.requests)]
	s.requests = append(s.requests, r.Method+" "+r.URL.Path)
	switch how {
	case Sealed:
		refuse(w, &problem{http.StatusServiceUnavailable, "Vault is sealed"})
		return
	case Gone:
		panic(http.ErrAbortHandler)
	}
	data, err := s.answer(r)
	if how == Lost {
		panic(http.ErrAbortHandler)
	}
	if err != nil {
		refuse(w, err)
		return
	}
	reply(w, http.StatusOK, map[string]any{"request_id": rand.Text(), "lease_id": "", "renewable": false, "lease_duration": 0, "data": data, "wrap_info": nil, "warnings": nil, "auth": nil})
}

// A problem is an answer that says no.
type problem struct {
	status int
	what   string
}

func refuse(w http.ResponseWriter, p *problem) {
	errors := []string{p.what}
	if p.what == "" {
		errors = []string{}
	}
	reply(w, p.status, map[string]any{"errors": errors})
}

func reply(w http.ResponseWriter, status int, body map[string]any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}

func (s *Server) answer(r *http.Request) (any, *problem) {
	if r.Header.Get("X-Vault-Token") != s.Token {
		return nil, &problem{http.StatusForbidden, "permission denied"}
	}
	words := strings.Split(strings.TrimPrefix(r.URL.Path, "/v1/transit/"), "/")
	if !strings.HasPrefix(r.URL.Path, "/v1/transit/") || len(words) < 2 || len(words) > 3 {
		return nil, &problem{http.StatusNotFound, "no handler for route " + fmt.Sprintf("%q", r.URL.Path)}
	}
	operation := words[0]
	if len(words) == 3 {
		operation += "/" + words[2]
	}
	var body request
	if r.Method != http.MethodGet {
		if err := json.NewDecoder(r.Body).Decode(&body); err != nil && r.ContentLength != 0 {
			return nil, &problem{http.StatusBadRequest, "failed to parse JSON input: " + err.Error()}
		}
	}
	k, ok := s.keys[words[1]]
	switch {
	case !ok && operation == "keys" && r.Method == http.MethodGet:
		return nil, &problem{http.StatusNotFound, ""}
	case !ok:
		return nil, &problem{http.StatusBadRequest, "encryption key not found"}
	case operation == "keys" && r.Method == http.MethodGet:
		return k.describe(words[1]), nil
	case r.Method != http.MethodPost && r.Method != http.MethodPut:
		return nil, &problem{http.StatusMethodNotAllowed, "unsupported operation"}
	}
	return k.do(operation, words[1], body)
}
