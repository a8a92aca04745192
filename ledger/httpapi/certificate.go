package httpapi

import (
	"crypto/tls"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"
)

// A certificate is a pair of files that is read again when they change.
type certificate struct {
	certFile, keyFile string
	log               *slog.Logger

	mu     sync.Mutex
	loaded *tls.Certificate
	seen   [2]stamp // what the files looked like when they were read last
}

// A stamp tells one version of a file from another.
type stamp struct {
	time time.Time
	size int64
}

// LoadCertificate returns TLS with a certificate and key from files in PEM.
// They are looked at in every handshake and read again when they changed;
// while they cannot be read, as when only one of them is new, the old pair
// serves on.
func LoadCertificate(certFile, keyFile string, log *slog.Logger) (*tls.Config, error) {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	c := &certificate{certFile: certFile, keyFile: keyFile, log: log}
	if err := c.reload(); err != nil {
		return nil, fmt.Errorf("tls: %w", err)
	}
	return &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: c.get}, nil
}

func (c *certificate) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.reload(); err != nil {
		c.log.Error("the certificate cannot be read again, the old one is still used", slog.String("error", err.Error()))
	}
	return c.loaded, nil
}

// reload reads the files, unless they look as they did.
func (c *certificate) reload() error {
	var now [2]stamp
	for i, name := range []string{c.certFile, c.keyFile} {
		info, err := os.Stat(name)
		if err != nil {
			return err
		}
		now[i] = stamp{info.ModTime(), info.Size()}
	}
	if now == c.seen {
		return nil
	}
	c.seen = now // also of a bad pair: it is reported once
	pair, err := tls.LoadX509KeyPair(c.certFile, c.keyFile)
	if err != nil {
		return err
	}
	if c.loaded != nil {
		c.log.Info("the certificate was read again", slog.String("file", c.certFile))
	}
	c.loaded = &pair
	return nil
}
