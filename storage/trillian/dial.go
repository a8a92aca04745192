package trillian

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/google/trillian"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
)

// DialOptions say how to reach a remote tree.
type DialOptions struct {
	// TLS is the configuration of the connection. Nil is plain text to this
	// host, and to others TLS with the certificates that the system trusts.
	TLS *tls.Config
	// ShadowDir is a directory for the shadow, see the package comment; it is
	// made when it is missing. Without one the shadow is kept in memory, about
	// 50 bytes a leaf, and read from the server at each start.
	ShadowDir string
	// Logger gets what Trillian and the storage report; nil discards it.
	Logger *slog.Logger
	// Now is the clock; nil is time.Now. It may go back.
	Now func() time.Time
}

// Limits of messages. A server refuses requests above 4 MiB by default.
const (
	maxRequest  = 3 << 20
	maxResponse = 64 << 20
	// maxFetch is how many leaves are asked for at once.
	maxFetch = 4096
)

// Dial opens a tree in a Trillian log server: a PREORDERED_LOG that Trillian's
// createtree made, at an address as of ParseAddress. It returns when the shadow
// is up to date. An unknown or uninitialised tree is ErrNotFound.
func Dial(ctx context.Context, address string, o DialOptions) (*Tree, error) {
	a, err := ParseAddress(address)
	if err != nil {
		return nil, err
	}
	r, err := dial(ctx, a, o)
	if err != nil {
		return nil, fmt.Errorf("dial %s: %w", address, err)
	}
	return &Tree{engine: r}, nil
}

func dial(ctx context.Context, a Address, o DialOptions) (*remote, error) {
	conn, err := connect(a, o.TLS)
	if err != nil {
		return nil, err
	}
	r := &remote{conn: conn, client: trillian.NewTrillianLogClient(conn), id: a.Tree}
	if err := r.open(ctx, o); err != nil {
		return nil, errors.Join(err, r.close())
	}
	return r, nil
}

// connect prepares a connection; it is made with the first call.
func connect(a Address, config *tls.Config) (*grpc.ClientConn, error) {
	transport := insecure.NewCredentials()
	if config != nil || !a.loopback() {
		transport = credentials.NewTLS(config)
	}
	return grpc.NewClient("passthrough:///"+a.target(),
		grpc.WithTransportCredentials(transport),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(maxResponse)),
	)
}

// open reads the server's head and brings the shadow up to it.
func (r *remote) open(ctx context.Context, o DialOptions) error {
	target, err := r.serverHead(ctx)
	switch status.Code(err) {
	case codes.OK:
	case codes.NotFound, codes.FailedPrecondition:
		return fmt.Errorf("%w: %w: make one with Trillian's createtree --tree_type=PREORDERED_LOG", ErrNotFound, err)
	}
	if err != nil {
		return err
	}
	shadow := EmbeddedOptions{Dir: o.ShadowDir, FS: vfs.Default, Logger: o.Logger, Now: o.Now}
	if o.ShadowDir == "" {
		shadow.Dir, shadow.FS = "shadow", vfs.NewMem()
	}
	r.shadow, err = openEmbedded(ctx, shadow)
	if errors.Is(err, ErrNotFound) {
		shadow.Create = true
		r.shadow, err = openEmbedded(ctx, shadow)
	}
	if err != nil {
		return err
	}
	return r.catchUp(ctx, target)
}
