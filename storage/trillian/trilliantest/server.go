// Package trilliantest runs Trillian's own log server for tests of what
// reaches it by the network: server and sequencer are Trillian's, on
// loopback, with one tree in memory. It is in no program.
package trilliantest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/google/trillian"
	"github.com/google/trillian/extension"
	"github.com/google/trillian/log"
	"github.com/google/trillian/monitoring"
	"github.com/google/trillian/quota"
	"github.com/google/trillian/server"
	"github.com/google/trillian/storage"
	"github.com/google/trillian/storage/testonly"
	"github.com/google/trillian/util/clock"
	"github.com/google/trillian/util/election2"
	"google.golang.org/grpc"

	ours "github.com/cairnlog/cairn/storage/trillian"
	"github.com/cairnlog/cairn/storage/trillian/embedded"
)

// A Server is a log server that runs.
type Server struct {
	// URL is the address of its one tree, a PREORDERED_LOG, as a ledger's
	// configuration has it.
	URL string

	store *embedded.Store
	rpc   *grpc.Server
	stop  context.CancelFunc // of the sequencer
	done  sync.WaitGroup
}

// sequenceEvery is between two passes of the sequencer.
const sequenceEvery = 5 * time.Millisecond

// Start starts a server with a new tree. The options are gRPC's, such as
// its credentials.
func Start(ctx context.Context, o ...grpc.ServerOption) (*Server, error) {
	ours.Contain(slog.New(slog.DiscardHandler))
	store, err := embedded.Open(embedded.Options{Dir: "server", FS: vfs.NewMem(), Create: true})
	if err != nil {
		return nil, err
	}
	s := &Server{store: store, rpc: grpc.NewServer(o...), stop: func() {}}
	if err := s.start(ctx); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

func (s *Server) start(ctx context.Context) error {
	registry := extension.Registry{
		AdminStorage: s.store.AdminStorage(), LogStorage: s.store.LogStorage(), QuotaManager: quota.Noop(),
		MetricFactory: monitoring.InertMetricFactory{}, ElectionFactory: election2.NoopFactory{},
	}
	tree, err := storage.CreateTree(ctx, registry.AdminStorage, testonly.PreorderedLogTree)
	if err != nil {
		return err
	}
	logs := server.NewTrillianLogRPCServer(registry, clock.System)
	if _, err := logs.InitLog(ctx, &trillian.InitLogRequest{LogId: tree.TreeId}); err != nil {
		return err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	s.URL = fmt.Sprintf("trillian://%s/%d", listener.Addr(), tree.TreeId)
	trillian.RegisterTrillianLogServer(s.rpc, logs)
	sequencer := log.NewOperationManager(log.OperationInfo{
		Registry: registry, BatchSize: 1000, TimeSource: clock.System, RunInterval: sequenceEvery, NumWorkers: 1,
	}, log.NewSequencerManager(registry, 0))
	sequence, stop := context.WithCancel(context.WithoutCancel(ctx))
	s.stop = stop
	s.done.Go(func() { _ = s.rpc.Serve(listener) }) // ends with Stop
	s.done.Go(func() { sequencer.OperationLoop(sequence) })
	return nil
}

// Close stops the server. Its tree is gone.
func (s *Server) Close() error {
	s.stop()
	s.rpc.Stop()
	s.done.Wait()
	return s.store.Close()
}
