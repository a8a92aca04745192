package keyservice

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"
)

const (
	vaultTimeout = 30 * time.Second // of one request
	maxAnswer    = 1 << 20          // bytes
	maxToken     = 64 << 10         // bytes
	maxRedirects = 3                // a standby sends on to the active server
)

// A vaultClient speaks Vault's HTTP API.
type vaultClient struct {
	address   *url.URL
	namespace string
	token     func() (string, error)
	http      *http.Client
}

// newVaultClient returns a client of the Vault that the environment names.
func newVaultClient(env func(string) string, tokenFile string) (*vaultClient, error) {
	address, err := url.Parse(env("VAULT_ADDR"))
	if err != nil || address.Host == "" {
		return nil, errors.New("vault: VAULT_ADDR is not the URL of a Vault, such as https://vault.example.com:8200")
	}
	if err := secured(address); err != nil {
		return nil, err
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	if file := env("VAULT_CACERT"); file != "" {
		if transport.TLSClientConfig, err = trusting(file); err != nil {
			return nil, err
		}
	}
	token := func() (string, error) { return env("VAULT_TOKEN"), nil }
	if tokenFile != "" {
		token = func() (string, error) { return readToken(tokenFile) }
	}
	return &vaultClient{address, env("VAULT_NAMESPACE"), token, &http.Client{
		Transport: transport, Timeout: vaultTimeout, CheckRedirect: checkRedirect,
	}}, nil
}

// secured demands TLS, but on this host: tokens and cells go over it.
func secured(u *url.URL) error {
	ip := net.ParseIP(u.Hostname())
	if u.Scheme == "https" || u.Scheme == "http" && (u.Hostname() == "localhost" || ip != nil && ip.IsLoopback()) {
		return nil
	}
	return fmt.Errorf("vault: %s://%s would send the token and the cell in clear: give an https:// address", u.Scheme, u.Host)
}

func checkRedirect(r *http.Request, via []*http.Request) error {
	if len(via) > maxRedirects {
		return errors.New("too many redirects")
	}
	return secured(r.URL)
}

func trusting(file string) (*tls.Config, error) {
	pem, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("vault: VAULT_CACERT: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("vault: VAULT_CACERT: %s holds no certificate in PEM", file)
	}
	return &tls.Config{RootCAs: pool}, nil
}

func readToken(file string) (string, error) {
	f, err := os.Open(file)
	if err != nil {
		return "", fmt.Errorf("vault: token: %w", err)
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxToken))
	if err != nil {
		return "", fmt.Errorf("vault: token: %w", err)
	}
	return strings.TrimSpace(string(b)), nil
}

func (c *vaultClient) get(ctx context.Context, path string, answer any) error {
	return c.do(ctx, http.MethodGet, path, nil, answer)
}

func (c *vaultClient) post(ctx context.Context, path string, body map[string]any, answer any) error {
	return c.do(ctx, http.MethodPost, path, body, answer)
}

// do makes a request, and reads the data of its answer where that is wanted.
func (c *vaultClient) do(ctx context.Context, method, path string, body map[string]any, answer any) error {
	var sent []byte
	if body != nil {
		var err error
		if sent, err = json.Marshal(body); err != nil {
			return err
		}
		defer clear(sent)
	}
	r, err := http.NewRequestWithContext(ctx, method, c.address.JoinPath(path).String(), bytes.NewReader(sent))
	if err != nil {
		return fmt.Errorf("vault: %w", err)
	}
	if err := c.authorize(r); err != nil {
		return err
	}
	response, err := c.http.Do(r)
	if err != nil {
		return fmt.Errorf("vault: %w", err)
	}
	defer response.Body.Close()
	b, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	if err != nil {
		return fmt.Errorf("vault: %s %s: %w", method, path, err)
	}
	if response.StatusCode/100 != 2 {
		return refusal(method, path, response.StatusCode, b)
	}
	if answer == nil {
		return nil
	}
	defer clear(b)
	var envelope struct {
		Data json.RawMessage `json:"data"`
	}
	if err := json.Unmarshal(b, &envelope); err != nil || len(envelope.Data) == 0 || json.Unmarshal(envelope.Data, answer) != nil {
		return fmt.Errorf("vault: %s %s: its answer is none of Vault's", method, path) // which could hold the cell
	}
	return nil
}

func (c *vaultClient) authorize(r *http.Request) error {
	token, err := c.token()
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("X-Vault-Request", "true")
	if token != "" {
		r.Header.Set("X-Vault-Token", token)
	}
	if c.namespace != "" {
		r.Header.Set("X-Vault-Namespace", c.namespace)
	}
	return nil
}

// refusal returns the error of an answer that says no.
func refusal(method, path string, status int, body []byte) error {
	var said struct {
		Errors []string `json:"errors"`
	}
	_ = json.Unmarshal(body, &said) // a proxy may say it otherwise
	why := strings.Join(said.Errors, "; ")
	if why == "" {
		why = http.StatusText(status)
	}
	const most = 500 // bytes
	return fmt.Errorf("vault: %s %s: status %d: %s", method, path, status, why[:min(len(why), most)])
}
