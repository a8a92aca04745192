package local

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"
)

// treeTLS returns how a connection to the Trillian server is secured; nil
// leaves that to its address.
func (c Config) treeTLS() (*tls.Config, error) {
	if c.TreeCA == "" && c.TreeCertificate == "" {
		return nil, nil
	}
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if c.TreeCA != "" {
		pem, err := os.ReadFile(c.TreeCA)
		if err != nil {
			return nil, fmt.Errorf("tree_ca: %w", err)
		}
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("tree_ca: %s: it holds no certificate in PEM", c.TreeCA)
		}
	}
	if c.TreeCertificate == "" {
		return config, nil
	}
	load := func() (*tls.Certificate, error) {
		pair, err := tls.LoadX509KeyPair(c.TreeCertificate, c.TreeKey)
		if err != nil {
			return nil, fmt.Errorf("tree_certificate and tree_key: %w", err)
		}
		return &pair, nil
	}
	config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return load() }
	_, err := load() // so that the start tells what is wrong
	return config, err
}
