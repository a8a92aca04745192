package httpapi

import (
	"context"
	"net"
	"net/http"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/ledger"
	"github.com/cairnlog/cairn/ledger/identity"
)

// NotReady returns why a ledger of a status takes no entries.
func NotReady(s ledger.Status, stopped error) *client.Problem { return notReady(s, stopped) }

// PublicProblem returns what is told of an error.
func PublicProblem(err error) *client.Problem { return publicProblem(err) }

// A RouteInfo is what tests see of a route.
type RouteInfo struct {
	Method, Path string
	Faces        Face
	Needs        identity.Action
}

// Routes returns all routes.
func (a *API) Routes() []RouteInfo {
	var all []RouteInfo
	for _, rt := range a.routes {
		all = append(all, RouteInfo{rt.method, rt.path, rt.faces, rt.needs})
	}
	return all
}

// Frame returns a handler of any requests with the frame of ours.
func (a *API) Frame(h http.Handler) http.Handler { return a.frame(h) }

// ServeOn returns a server of a handler on any listener.
func (a *API) ServeOn(l net.Listener, h http.Handler) *Server { return a.newServer(l, nil, h) }

// RecordRevoked records the revocations that no entry tells yet.
func (a *API) RecordRevoked(ctx context.Context) error { return a.recordRevoked(ctx) }

// FillFinds lets as many queries and searches be under way as may be, until
// leave is called.
func (a *API) FillFinds() (leave func()) {
	for a.finds.enter() || a.searches.enter() {
	}
	return func() {
		for _, room := range []gate{a.finds, a.searches} {
			for range cap(room) {
				room.leave()
			}
		}
	}
}
