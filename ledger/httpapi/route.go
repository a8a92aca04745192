package httpapi

import (
	"net/http"
	"path"
	"slices"
	"strings"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/ledger/identity"
)

// A route is one method at one path.
type route struct {
	faces  Face
	method string
	path   string          // a pattern of http.ServeMux
	needs  identity.Action // what it is: whoever asks must be allowed one of these; 0: anybody may
	query  []string        // parameters that it takes; where anybody may ask all others are ignored
	serve  func(*call) error
	gate   gate // nil: the first face's
}

// table returns all routes. GET means HEAD too.
func (a *API) table(gatherer prometheus.Gatherer) []route {
	const get, post, put = http.MethodGet, http.MethodPost, http.MethodPut
	routes := []route{
		{faces: Public, method: get, path: "/checkpoint", serve: a.checkpoint},
		{faces: Public, method: get, path: "/checkpoints", serve: a.keptCheckpoints, gate: a.lists},
		{faces: Public, method: get, path: "/checkpoints/{place...}", serve: a.keptCheckpoint},
		{faces: Public, method: get, path: "/tile/{place...}", serve: a.tile},
		{faces: Public, method: get, path: "/tile/entries/{place...}", serve: a.bundle},
		{faces: Public, method: get, path: "/log", serve: a.info},

		{faces: Write, method: post, path: "/v1/streams/{stream}/entries", needs: identity.Append, query: []string{"wait", "timeout", "idempotency-field"}, serve: a.append},

		{faces: Read, method: get, path: "/v1/entries/{index}", needs: identity.Read | identity.ReadHistory, serve: a.entry},
		{faces: Read, method: get, path: "/v1/entries", needs: identity.Read | identity.ReadHistory, query: []string{"entries"}, serve: a.readEntries},
		{faces: Read, method: get, path: "/v1/entries:tail", needs: identity.Read, query: []string{"stream", "from"}, serve: a.tail, gate: a.tails},
		{faces: Read, method: post, path: "/v1/entries:tail", needs: identity.Read, serve: a.tail, gate: a.tails},
		{faces: Read, method: post, path: "/v1/entries:search", needs: identity.Read, serve: a.search},
		{faces: Read, method: post, path: "/v1/entries:count", needs: identity.Read, serve: a.count},
		{faces: Read, method: post, path: "/v1/entries:find", needs: identity.Read, serve: a.find},
		{faces: Read, method: post, path: "/v1/entries:prove", needs: identity.Read, serve: a.proveComplete},
		{faces: Read, method: get, path: "/v1/receipts/{index}", needs: identity.Prove, serve: a.receipt},
		{faces: Read, method: get, path: "/v1/proofs/inclusion", needs: identity.Prove, query: []string{"index", "size"}, serve: a.inclusion},
		{faces: Read, method: get, path: "/v1/proofs/consistency", needs: identity.Prove, query: []string{"from", "to"}, serve: a.consistency},
		{faces: Read, method: get, path: "/v1/vault/{place...}", needs: identity.ReadSealed, serve: a.vault, gate: a.vaults},
		{faces: Read, method: get, path: "/v1/directories/{size}/{number}", needs: identity.ReadSealed, query: []string{"rows"}, serve: a.directory},
		{faces: Read, method: get, path: "/v1/streams/{stream}/directories/{size}/{number}", needs: identity.Read, query: []string{"rows"}, serve: a.directory},
		{faces: Read, method: get, path: "/v1/history", needs: identity.ReadHistory, query: []string{"entry", "stream", "who", "what", "from", "before", "limit"}, serve: a.history},

		{faces: Read | Admin, method: get, path: "/v1/streams", needs: identity.ReadSettings, serve: a.streams},
		{faces: Read | Admin, method: get, path: "/v1/classes", needs: identity.ReadSettings, serve: a.classes},
		{faces: Admin, method: post, path: "/v1/streams", needs: identity.ChangeSettings, serve: a.addStream},
		{faces: Admin, method: put, path: "/v1/streams/{stream}", needs: identity.ChangeSettings | identity.Close, serve: a.setStream},
		{faces: Admin, method: post, path: "/v1/classes", needs: identity.ChangeSettings, serve: a.addClass},
		{faces: Admin, method: get, path: "/v1/tokens", needs: identity.ManageTokens, serve: a.listTokens},
		{faces: Admin, method: post, path: "/v1/tokens", needs: identity.ManageTokens | identity.NameCustodians, serve: a.issueToken},
		{faces: Admin, method: http.MethodDelete, path: "/v1/tokens/{id}", needs: identity.ManageTokens, serve: a.revokeToken},
		{faces: Admin, method: get, path: "/v1/status", needs: identity.ReadStatus, serve: a.status},
		{faces: Admin, method: post, path: "/v1/index:rebuild", needs: identity.ChangeSettings, serve: a.rebuildIndex},

		{faces: Health, method: get, path: "/healthz", serve: a.healthy},
		{faces: Health, method: get, path: "/readyz", serve: a.ready},
		{faces: Health, method: get, path: "/metrics", serve: a.serveMetrics(gatherer), gate: a.scrapes},
	}
	routes = append(routes, a.closingRoutes()...)
	a.setGates(routes)
	return routes
}

// closingRoutes returns the routes about what must stay and what must go.
func (a *API) closingRoutes() []route {
	const get, post, put = http.MethodGet, http.MethodPost, http.MethodPut
	done := []string{"wait", "timeout"} // until it is
	return []route{
		{faces: Admin, method: put, path: "/v1/classes/{class}", needs: identity.ChangeSettings | identity.Close, serve: a.setClass},
		{faces: Read | Admin, method: get, path: "/v1/retention", needs: identity.ReadSettings, serve: a.retention},
		{faces: Admin, method: post, path: "/v1/retention:run", needs: identity.ChangeSettings | identity.Close, serve: a.runRetention},
		{faces: Admin, method: post, path: "/v1/erasures", needs: identity.Close, query: done, serve: a.erase},
		{faces: Admin, method: post, path: "/v1/erasures:plan", needs: identity.Close, serve: a.planErasure},
		{faces: Read | Admin, method: get, path: "/v1/holds", needs: identity.ReadClosings, serve: a.holds},
		{faces: Admin, method: post, path: "/v1/holds", needs: identity.Close, serve: a.addHold},
		{faces: Admin, method: post, path: "/v1/holds/{hold}/release", needs: identity.Close, query: done, serve: a.releaseHold},
		{faces: Read | Admin, method: get, path: "/v1/closings", needs: identity.ReadClosings, serve: a.closings},
		{faces: Read | Admin, method: get, path: "/v1/closings/{index}", needs: identity.ReadClosings, query: done, serve: a.closingAt},
		{faces: Read | Admin, method: get, path: "/v1/requests", needs: identity.ReadClosings, serve: a.requests},
		{faces: Read | Admin, method: get, path: "/v1/requests/{index}", needs: identity.ReadClosings, query: done, serve: a.request},
		{faces: Admin, method: post, path: "/v1/requests/{index}/approval", needs: identity.Close, query: done, serve: a.approve},
		{faces: Admin, method: post, path: "/v1/requests/{index}/withdrawal", needs: identity.Close, serve: a.withdraw},
		{faces: Read | Admin, method: get, path: "/v1/custody", needs: identity.ReadSettings, serve: a.custody},
		{faces: Admin, method: put, path: "/v1/custody", needs: identity.ChangeSettings | identity.Close, serve: a.setCustody},
		{faces: Read | Admin, method: get, path: "/v1/pruning", needs: identity.ReadSettings, serve: a.pruning},
		{faces: Admin, method: put, path: "/v1/pruning", needs: identity.ChangeSettings | identity.Close, serve: a.setPruning},
		{faces: Read | Admin, method: get, path: "/v1/custodians", needs: identity.ReadSettings, serve: a.custodians},
		{faces: Admin, method: put, path: "/v1/custodians", needs: identity.ChangeSettings | identity.Close, serve: a.setCustodians},
	}
}

// setGates gives the routes of one face one gate, so that no face can take the
// room of another.
func (a *API) setGates(routes []route) {
	gates := make(map[Face]gate)
	for i := range routes {
		rt := &routes[i]
		if rt.gate != nil {
			continue
		}
		face := rt.faces & -rt.faces // the first, of a route that has two
		if gates[face] == nil {
			gates[face] = make(gate, a.limits.Requests)
		}
		rt.gate = gates[face]
	}
}

func (a *API) handler(faces Face, local bool) http.Handler {
	mux := http.NewServeMux()
	for i := range a.routes {
		if rt := &a.routes[i]; rt.faces&faces != 0 {
			mux.HandleFunc(rt.method+" "+rt.path, func(w http.ResponseWriter, r *http.Request) {
				c := &call{Request: r, api: a, w: w.(*response), local: local}
				c.serve(rt)
			})
		}
	}
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { a.nowhere(mux, w.(*response), r) })
	return a.frame(mux)
}

// isCanonical reports whether a request's path is written as we write paths:
// nothing to clean up and nothing escaped, so that one thing has one URL.
func isCanonical(r *http.Request) bool {
	return r.URL.RawPath == "" && strings.HasPrefix(r.URL.Path, "/") && path.Clean(r.URL.Path) == r.URL.Path
}

// nowhere answers requests that no route takes.
func (a *API) nowhere(mux *http.ServeMux, w *response, r *http.Request) {
	allowed, public := a.methods(mux, r)
	switch {
	case len(allowed) == 0:
		a.refuse(w, client.NewProblem(client.NoSuchPath, "there is nothing at this path", "see cairn-http(7) for what there is; a ledger can have several addresses, of which each serves only some"))
	case r.Method == http.MethodOptions:
		w.Header().Set("Allow", strings.Join(allowed, ", "))
		if public {
			allowCrossOrigin(w.Header())
			w.Header().Set("Access-Control-Allow-Methods", strings.Join(allowed, ", "))
			w.Header().Set("Access-Control-Allow-Headers", "If-None-Match")
			w.Header().Set("Access-Control-Max-Age", "86400")
		}
		w.WriteHeader(http.StatusNoContent)
	default:
		w.Header().Set("Allow", strings.Join(allowed, ", "))
		a.refuse(w, client.NewProblem(client.MethodNotAllowed, "this path takes "+strings.Join(allowed, ", "), ""))
	}
}

// methods returns the methods that a path takes, and whether it is public.
func (a *API) methods(mux *http.ServeMux, r *http.Request) (allowed []string, public bool) {
	for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodDelete} {
		_, pattern := mux.Handler(&http.Request{Method: method, URL: r.URL, Host: r.Host})
		if pattern == "/" {
			continue
		}
		allowed = append(allowed, method)
		if method == http.MethodGet {
			allowed = append(allowed, http.MethodHead)
		}
		public = public || slices.ContainsFunc(a.routes, func(rt route) bool {
			return rt.faces == Public && rt.method+" "+rt.path == pattern
		})
	}
	return allowed, public
}
