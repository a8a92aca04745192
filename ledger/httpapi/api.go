package httpapi

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/semaphore"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/ledger"
	"github.com/cairnlog/cairn/ledger/identity"
)

// A Face is a set of faces of the server.
type Face uint8

// The faces.
const (
	Public Face = 1 << iota
	Write
	Read
	Admin
	Health

	// Every is all of them.
	Every = Public | Write | Read | Admin | Health
)

// A Config is everything an API is made of.
type Config struct {
	Ledger     *ledger.Ledger
	Identities *identity.Authenticator
	Metrics    *prometheus.Registry // served as /metrics, and gets this package's; nil: one of its own
	Logger     *slog.Logger         // nil: nothing is logged
	Limits     Limits               // zero values are the defaults
}

// Limits bound what requests can ask for at the same time. What is beyond is
// refused at once with 503 and Retry-After.
type Limits struct {
	Body     int64         // bytes of one request's body, unpacked; zero: 16 MiB, or one event of the ledger's bound if that is more
	Bodies   int64         // bytes of the bodies of all requests under way, with 2 KiB for each event; zero: 256 MiB
	Entries  int64         // bytes of the entries that are answered with; zero: 256 MiB, or one of the largest if that is more
	Requests int           // requests under way at one face; zero: 4,096
	Tails    int           // tails followed; zero: 256
	Wait     time.Duration // how long an append waits for its state where it says nothing; zero: 30 s

	// KeepAlive is how often a tail says something, so that nobody between
	// takes its connection for dead. Zero: 15 s.
	KeepAlive time.Duration
}

// An API is a ledger as HTTP serves it. Its handlers may be used from many
// goroutines.
type API struct {
	ledger     *ledger.Ledger
	identities *identity.Authenticator
	log        *slog.Logger
	limits     Limits
	batch      int // events in one request
	cloud      *cloudEvents
	metrics    *metrics
	ids        *requestIDs
	routes     []route

	bodies   *semaphore.Weighted
	entries  *semaphore.Weighted
	most     int64 // bytes that opening an entry takes
	tails    gate
	vaults   gate
	lists    gate
	finds    gate
	scrapes  gate
	searches gate

	recording gate // one records revocations at a time
	vouching  vouchingActs

	closing chan struct{} // closed when tails shall end
	once    sync.Once
}

// How many requests are served at once whose answer can be large, or for which
// much is read.
const (
	maxVaults   = 4  // for sealed records
	maxLists    = 16 // for the list of the kept checkpoints
	maxScrapes  = 4  // for the metrics
	maxFinds    = 4  // for what fits a query: every event of a stream is looked at
	maxSearches = 64 // for what the index finds, which may open some thousand payloads
)

// New returns the API of a ledger.
func New(c Config) (*API, error) {
	a := &API{
		ledger: c.Ledger, identities: c.Identities, log: c.Logger,
		vaults: make(gate, maxVaults), lists: make(gate, maxLists), finds: make(gate, maxFinds), searches: make(gate, maxSearches), scrapes: make(gate, maxScrapes),
		recording: make(gate, 1), closing: make(chan struct{}),
	}
	if a.log == nil {
		a.log = slog.New(slog.DiscardHandler)
	}
	info, err := readInfo(c.Ledger)
	if err != nil {
		return nil, fmt.Errorf("http api: %w", err)
	}
	a.batch, a.limits = info.MaxBatch, c.Limits.withDefaults(int64(info.MaxPayload))
	a.most = 4*int64(info.MaxPayload) + 64<<10 // sealed, opened, and in base64, with all that describes it
	a.bodies, a.entries = semaphore.NewWeighted(a.limits.Bodies), semaphore.NewWeighted(max(a.limits.Entries, a.most))
	a.tails = make(gate, a.limits.Tails)
	if a.cloud, err = newCloudEvents(); err != nil {
		return nil, fmt.Errorf("http api: %w", err)
	}
	if a.ids, err = newRequestIDs(); err != nil {
		return nil, fmt.Errorf("http api: %w", err)
	}
	if c.Metrics == nil {
		c.Metrics = prometheus.NewRegistry()
	}
	if a.metrics, err = newMetrics(a, c.Metrics); err != nil {
		return nil, fmt.Errorf("http api: %w", err)
	}
	a.routes = a.table(c.Metrics)
	return a, nil
}

func readInfo(l *ledger.Ledger) (info client.Info, err error) {
	data, err := l.ReadFile(context.Background(), "log")
	if err != nil {
		return info, err
	}
	err = json.Unmarshal(data, &info)
	return info, err
}

func (l Limits) withDefaults(payload int64) Limits {
	if l.Body <= 0 {
		l.Body = max(16<<20, payload+64<<10)
	}
	if l.Bodies <= 0 {
		l.Bodies = 256 << 20
	}
	l.Bodies = max(l.Bodies, l.Body)
	if l.Entries <= 0 {
		l.Entries = 256 << 20
	}
	if l.Requests <= 0 {
		l.Requests = 4096
	}
	if l.Tails <= 0 {
		l.Tails = 256
	}
	if l.Wait <= 0 {
		l.Wait = 30 * time.Second
	}
	l.Wait = min(l.Wait, client.MaxWait)
	if l.KeepAlive <= 0 {
		l.KeepAlive = 15 * time.Second
	}
	return l
}

// EndTails ends all tails, and every later one at once: they would keep a
// server from shutting down.
func (a *API) EndTails() { a.once.Do(func() { close(a.closing) }) }

// Handler returns the handler of faces, each for those whose token allows it.
func (a *API) Handler(faces Face) http.Handler { return a.handler(faces, false) }

// Local returns the handler of the administration and health for a socket
// that only the operator can open: it asks for no token.
func (a *API) Local() http.Handler { return a.handler(Admin|Health, true) }
