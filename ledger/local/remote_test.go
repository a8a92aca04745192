package local_test

import (
	"context"
	"fmt"
	"net"
	"path/filepath"
	"sync"
	"testing"
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

	"github.com/cairnlog/cairn/ledger/local"
	"github.com/cairnlog/cairn/storage/trillian/embedded"
)

// trillianServer starts Trillian's own log server and sequencer on loopback
// and returns the address of a new tree.
func trillianServer(t *testing.T) string {
	t.Helper()
	store, err := embedded.Open(embedded.Options{Dir: "server", FS: vfs.NewMem(), Create: true})
	if err != nil {
		t.Fatal(err)
	}
	registry := extension.Registry{
		AdminStorage: store.AdminStorage(), LogStorage: store.LogStorage(), QuotaManager: quota.Noop(),
		MetricFactory: monitoring.InertMetricFactory{}, ElectionFactory: election2.NoopFactory{},
	}
	tree, err := storage.CreateTree(t.Context(), registry.AdminStorage, testonly.PreorderedLogTree)
	if err != nil {
		t.Fatal(err)
	}
	logs := server.NewTrillianLogRPCServer(registry, clock.System)
	if _, err := logs.InitLog(t.Context(), &trillian.InitLogRequest{LogId: tree.TreeId}); err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	rpc := grpc.NewServer()
	trillian.RegisterTrillianLogServer(rpc, logs)
	sequencer := log.NewOperationManager(log.OperationInfo{
		Registry: registry, BatchSize: 1000, TimeSource: clock.System, RunInterval: 5 * time.Millisecond, NumWorkers: 1,
	}, log.NewSequencerManager(registry, 0))
	ctx, cancel := context.WithCancel(context.Background())
	var done sync.WaitGroup
	done.Go(func() { rpc.Serve(listener) }) // ends with Stop
	done.Go(func() { sequencer.OperationLoop(ctx) })
	t.Cleanup(func() {
		cancel()
		rpc.Stop()
		done.Wait()
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	return fmt.Sprintf("trillian://%s/%d", listener.Addr(), tree.TreeId)
}

// TestLedgerOverATrillianServer keeps the tree in Trillian's own log server,
// which its own sequencer integrates.
func TestLedgerOverATrillianServer(t *testing.T) {
	c := local.Config{Tree: trillianServer(t)}
	dir := filepath.Join(t.TempDir(), "ledger")
	if err := local.Init(t.Context(), dir, local.InitOptions{Origin: "example.com/remote", Config: c}); err != nil {
		t.Fatal(err)
	}
	for run := range 2 {
		d, err := local.Open(t.Context(), dir, c, local.Options{})
		if err != nil {
			t.Fatal(err)
		}
		for i := range 3 {
			if got := appendOne(t, d, payload(int64(i), 200)); got.Duplicate != (run > 0) {
				t.Errorf("run %d, event %d: got duplicate %v", run, i, got.Duplicate)
			}
		}
		appendOne(t, d, payload(int64(100+run), 200))
		if err := d.Close(); err != nil {
			t.Fatal(err)
		}
	}
}
