package httpapi

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"

	"golang.org/x/net/netutil"
)

// maxConnections bounds the connections of one address.
const maxConnections = 16384

// maxSocketPath is what the address of a unix socket holds, in bytes, on the
// systems that have the least.
const maxSocketPath = 103

// ErrNoTLS means that a face which takes tokens would be open to a network
// without TLS.
var ErrNoTLS = errors.New("tokens and payloads must not cross a network without TLS: give a certificate and key, or set behind_proxy where a proxy in front does TLS")

// An Address is where faces are served, and how.
type Address struct {
	Address     string      // host:port
	Faces       Face        //
	TLS         *tls.Config // nil: no TLS; see [LoadCertificate]
	BehindProxy bool        // a proxy in front does TLS
}

// Check says whether the faces may be served at an address that is bound: a
// face that takes tokens only by TLS, behind a proxy, or on loopback.
func (a Address) Check(bound net.Addr) error {
	if a.Faces&(Write|Read|Admin) == 0 || a.TLS != nil || a.BehindProxy {
		return nil
	}
	if tcp, ok := bound.(*net.TCPAddr); ok && tcp.IP.IsLoopback() {
		return nil
	}
	return fmt.Errorf("listen on %v: %w", bound, ErrNoTLS)
}

// Listen binds an address and returns a server for it. It refuses what
// [Address.Check] refuses.
func (a *API) Listen(at Address) (*Server, error) {
	l, err := net.Listen("tcp", at.Address)
	if err != nil {
		return nil, err
	}
	if err := at.Check(l.Addr()); err != nil {
		return nil, errors.Join(err, l.Close())
	}
	return a.newServer(netutil.LimitListener(l, maxConnections), at.TLS, a.Handler(at.Faces)), nil
}

// ListenLocal binds a unix socket that only this user can open, and returns
// a server for the local handler. A socket that is there is replaced: that no
// other server of this ledger runs is for the caller to know.
func (a *API) ListenLocal(path string) (*Server, error) {
	// It appears at its path only when nobody else can open it.
	dir, err := os.MkdirTemp(filepath.Dir(path), ".s") // 0700
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	private := filepath.Join(dir, "s")
	if len(private) > maxSocketPath {
		return nil, fmt.Errorf("listen on %s: the path is too long for a unix socket, by %d bytes", path, len(private)-maxSocketPath)
	}
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: private, Net: "unix"})
	if err != nil {
		return nil, fmt.Errorf("listen on %s: %w", path, err)
	}
	l.SetUnlinkOnClose(false)
	if err := errors.Join(os.Chmod(private, 0o600), os.Rename(private, path)); err != nil {
		return nil, errors.Join(err, l.Close())
	}
	s := a.newServer(l, nil, a.Local())
	s.remove = path
	return s, nil
}
