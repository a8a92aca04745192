package trillian_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"math/big"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/google/trillian"
	"github.com/google/trillian/extension"
	"github.com/google/trillian/log"
	"github.com/google/trillian/monitoring"
	"github.com/google/trillian/quota"
	"github.com/google/trillian/server"
	"github.com/google/trillian/storage/testonly"
	"github.com/google/trillian/util/clock"
	"github.com/google/trillian/util/election2"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/google/trillian/storage"

	"github.com/cairnlog/cairn/storage/trillian/embedded"
)

// logServer is Trillian's log server and log signer over an embedded store.
type logServer struct {
	registry extension.Registry
	tree     int64
	address  string // host:port
	config   *tls.Config
	rpc      *grpc.Server
}

// startServer starts a server with one initialised tree, and its signer.
func startServer(t *testing.T, config *tls.Config) *logServer {
	t.Helper()
	store, err := embedded.Open(embedded.Options{Dir: "server", FS: vfs.NewMem(), Create: true})
	if err != nil {
		t.Fatal(err)
	}
	s := &logServer{
		registry: extension.Registry{
			AdminStorage:    store.AdminStorage(),
			LogStorage:      store.LogStorage(),
			QuotaManager:    quota.Noop(),
			MetricFactory:   monitoring.InertMetricFactory{},
			ElectionFactory: election2.NoopFactory{},
		},
		address: "127.0.0.1:0",
		config:  config,
	}
	tree, err := storage.CreateTree(t.Context(), s.registry.AdminStorage, testonly.PreorderedLogTree)
	if err != nil {
		t.Fatal(err)
	}
	s.tree = tree.TreeId
	if _, err := s.logs().InitLog(t.Context(), &trillian.InitLogRequest{LogId: s.tree}); err != nil {
		t.Fatal(err)
	}
	s.serve(t)
	stopSigner := s.startSigner()
	t.Cleanup(func() {
		s.rpc.Stop()
		stopSigner()
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func (s *logServer) logs() *server.TrillianLogRPCServer {
	return server.NewTrillianLogRPCServer(s.registry, clock.System)
}

// serve starts to listen, on the same port as the last time.
func (s *logServer) serve(t *testing.T) {
	t.Helper()
	listener, err := net.Listen("tcp", s.address)
	if err != nil {
		t.Fatal(err)
	}
	s.address = listener.Addr().String()
	var options []grpc.ServerOption
	if s.config != nil {
		options = append(options, grpc.Creds(credentials.NewTLS(s.config)))
	}
	s.rpc = grpc.NewServer(options...)
	trillian.RegisterTrillianLogServer(s.rpc, s.logs())
	go s.rpc.Serve(listener) // ends with Stop
}

// startSigner runs Trillian's sequencer every few milliseconds.
func (s *logServer) startSigner() (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	manager := log.NewOperationManager(log.OperationInfo{
		Registry:    s.registry,
		BatchSize:   1000,
		TimeSource:  clock.System,
		RunInterval: 5 * time.Millisecond,
		NumWorkers:  1,
	}, log.NewSequencerManager(s.registry, 0))
	var done sync.WaitGroup
	done.Go(func() { manager.OperationLoop(ctx) })
	return func() {
		cancel()
		done.Wait()
	}
}

// url is the tree's address.
func (s *logServer) url() string { return fmt.Sprintf("trillian://%s/%d", s.address, s.tree) }

// selfSigned makes a certificate for 127.0.0.1 and a pool that trusts it.
func selfSigned(t *testing.T) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		NotBefore:    time.Now().Add(-time.Hour),
		NotAfter:     time.Now().Add(time.Hour),
		IPAddresses:  []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(leaf)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}, pool
}
