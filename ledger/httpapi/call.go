package httpapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/ledger/identity"
)

// A call is one request on its way through its route.
type call struct {
	*http.Request
	api   *API
	w     *response
	who   identity.Identity
	needs identity.Action // of the route
	local bool            // came by the local socket
	query url.Values
	held  int64 // bytes of bodies that are reserved

	reason  string    // why somebody reads, as it says
	checked time.Time // when it was last asked whether it still is who it was
}

// serve takes a request through its route: who is it, is there room, what is
// asked.
func (c *call) serve(rt *route) {
	err := c.admit(rt)
	if err == nil {
		err = c.through(rt)
	}
	if err != nil {
		c.api.refuse(c.w, err)
	}
}

func (c *call) admit(rt *route) error {
	if rt.faces == Public {
		allowCrossOrigin(c.w.Header())
	}
	if c.needs = rt.needs; c.needs != 0 {
		if err := c.authenticate(); err != nil {
			return c.refused(rt, err)
		}
		if _, ok := c.who.Role(c.needs); !ok {
			return c.refused(rt, client.NewProblem(client.Forbidden, fmt.Sprintf("%s may not %v", c.who.Roles(), c.needs), "this needs another role, see cairn-http(7)"))
		}
		if err := c.parseQuery(rt.query); err != nil {
			return err
		}
		if rt.faces != Write {
			if err := noAttributes(c.Header, "only an append takes it"); err != nil {
				return err
			}
			if err := c.readReason(); err != nil {
				return err
			}
		}
	}
	takesBody := rt.method == http.MethodPost || rt.method == http.MethodPut
	if hasBody := c.ContentLength > 0 || len(c.TransferEncoding) > 0; hasBody && !takesBody {
		return client.NewProblem(client.BadRequest, "a "+c.Method+" has no body", "")
	}
	return nil
}

func (c *call) through(rt *route) error {
	if !rt.gate.enter() {
		return overloaded()
	}
	defer rt.gate.leave()
	defer func() { c.release(c.held) }()
	return rt.serve(c)
}

// refused records that a request was refused for who asks, and returns why.
func (c *call) refused(rt *route, err error) error {
	var p *client.Problem
	if !errors.As(err, &p) {
		return err
	}
	s := c.session()
	act := s.Act("refused")
	act.Object = rt.method + " " + rt.path
	return s.Refused(c.Context(), act, p)
}

// authenticate finds out who asks.
func (c *call) authenticate() error {
	if c.local {
		c.who = identity.Local()
		c.w.who = c.who
		return nil
	}
	who, err := c.api.identities.Identify(c.Context(), c.credentials())
	if err == nil {
		c.who, c.w.who = who, who
		return nil
	}
	var refusal *identity.Refusal
	if !errors.As(err, &refusal) {
		return err
	}
	c.w.refusal = refusal
	p := refusal.Problem()
	if p.Status == http.StatusUnauthorized {
		challenge := `Bearer realm="cairn"`
		if len(c.Header.Values("Authorization")) > 0 {
			challenge += `, error="invalid_token"`
		}
		c.w.Header().Set("WWW-Authenticate", challenge)
	}
	return p
}

// still refuses a request that takes long once it is no more who it was. A
// token of an issuer costs the check of a signature, so it is asked for less
// often.
func (c *call) still() error {
	now := time.Now()
	seldom := c.who.Kind == identity.ByIssuer && now.Sub(c.checked) < time.Second
	if c.local || seldom && now.Before(c.who.Expires) {
		return nil
	}
	c.checked = now
	err := c.api.identities.Still(c.Context(), c.who, c.credentials())
	var refusal *identity.Refusal
	if errors.As(err, &refusal) {
		return refusal.Problem()
	}
	return err
}

func (c *call) credentials() identity.Credentials {
	return identity.Credentials{Authorization: c.Header.Values("Authorization"), TLS: c.TLS}
}

// may reports whether whoever asks may do it to what is about a stream.
func (c *call) may(stream string) bool { return c.who.May(c.needs, stream) }

// parseQuery reads the parameters of a request: those that the route takes,
// each once. A misspelt one must not go unnoticed.
func (c *call) parseQuery(known []string) error {
	query, err := url.ParseQuery(c.URL.RawQuery)
	if err != nil {
		return badRequest("the query of the URL is malformed")
	}
	for name, values := range query {
		if !slices.Contains(known, name) {
			return badRequest("there is no parameter %.40q here", name)
		}
		if len(values) != 1 {
			return badRequest("the parameter %s is given %d times", name, len(values))
		}
	}
	c.query = query
	return nil
}

// header returns the value of a header that can be given once; empty where it
// is not given.
func (c *call) header(name string) (string, error) {
	if n := len(c.Header.Values(name)); n > 1 {
		return "", badRequest("the header %s is given %d times", name, n)
	}
	return c.Header.Get(name), nil
}

func badRequest(format string, args ...any) error {
	return client.NewProblem(client.BadRequest, fmt.Sprintf(format, args...), "")
}

// number reads a parameter that is an index or a size.
func (c *call) number(name string) (uint64, error) {
	return parseNumber(name, c.query.Get(name))
}

// parseNumber reads a number from 0 to 2^63-1 in its one decimal form.
func parseNumber(name, text string) (uint64, error) {
	n, err := strconv.ParseUint(text, 10, 63)
	if err != nil || strconv.FormatUint(n, 10) != text {
		return 0, badRequest("%s is %.40q, not a number without zeros in front", name, text)
	}
	return n, nil
}

// json answers with a JSON document.
func (c *call) json(status int, v any) error {
	body, err := formatJSON(v)
	if err != nil {
		return err
	}
	return c.answer(status, jsonType, body)
}

func formatJSON(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// answer sends a whole private answer.
func (c *call) answer(status int, mediaType string, body []byte) error {
	h := c.w.Header()
	h.Set("Content-Type", mediaType)
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Length", strconv.Itoa(len(body)))
	c.w.WriteHeader(status)
	_, _ = c.w.Write(body) // whoever asked is gone: there is nobody to tell
	return nil
}

// A gate bounds how many are inside.
type gate chan struct{}

// enter reports whether there was room. It never waits: who would queue here
// is better off knowing.
func (g gate) enter() bool {
	select {
	case g <- struct{}{}:
		return true
	default:
		return false
	}
}

func (g gate) leave() { <-g }
