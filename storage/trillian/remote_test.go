package trillian_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/google/trillian/storage"
	"github.com/google/trillian/storage/testonly"

	"github.com/cairnlog/cairn/storage/trillian"
)

// dial opens a remote tree and closes it at the end of the test.
func dial(t *testing.T, url string, o trillian.DialOptions) *trillian.Tree {
	t.Helper()
	tree, err := trillian.Dial(t.Context(), url, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := tree.Close(); err != nil {
			t.Error(err)
		}
	})
	return tree
}

func TestARemoteTreeIsTheReferencesTree(t *testing.T) {
	server, r := startServer(t, nil), new(reference)
	tree := dial(t, server.url(), trillian.DialOptions{})
	for _, size := range []uint64{0, 1, 2, 256, 300, 2500} {
		extend(t, tree, r, size)
		check(t, tree, r, size)
	}
	t.Run("read anew", func(t *testing.T) {
		check(t, dial(t, server.url(), trillian.DialOptions{}), r, 2500)
	})
}

func TestAShadowInADirectoryIsUsedAgain(t *testing.T) {
	server, r := startServer(t, nil), new(reference)
	o := trillian.DialOptions{ShadowDir: t.TempDir() + "/shadow"}
	for _, size := range []uint64{1000, 1500} {
		tree, err := trillian.Dial(t.Context(), server.url(), o)
		if err != nil {
			t.Fatal(err)
		}
		extend(t, tree, r, size)
		if err := tree.Sync(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := tree.Close(); err != nil {
			t.Fatal(err)
		}
	}
	// Meanwhile the server grows without this shadow.
	extend(t, dial(t, server.url(), trillian.DialOptions{}), r, 6000)
	check(t, dial(t, server.url(), o), r, 6000)
}

func TestAShadowOfAnotherTreeIsRefused(t *testing.T) {
	o := trillian.DialOptions{ShadowDir: t.TempDir() + "/shadow"}
	tree, err := trillian.Dial(t.Context(), startServer(t, nil).url(), o)
	if err != nil {
		t.Fatal(err)
	}
	extend(t, tree, new(reference), 10)
	if err := tree.Close(); err != nil {
		t.Fatal(err)
	}
	other := startServer(t, nil)
	otherTree := dial(t, other.url(), trillian.DialOptions{})
	if err := otherTree.Append(t.Context(), 0, leaves(100, 10)); err != nil {
		t.Fatal(err)
	}
	if _, err := otherTree.Integrate(t.Context(), 10); err != nil {
		t.Fatal(err)
	}
	if _, err := trillian.Dial(t.Context(), other.url(), o); !errors.Is(err, trillian.ErrDiverged) {
		t.Errorf("err = %v, want %v", err, trillian.ErrDiverged)
	}
}

func TestALargeBatchIsSplitIntoMessages(t *testing.T) {
	tree := dial(t, startServer(t, nil).url(), trillian.DialOptions{})
	large := make([]trillian.Leaf, 200)
	for i := range large {
		large[i].Value = bytes.Repeat([]byte{byte(i)}, 65_535)
	}
	if err := tree.Append(t.Context(), 0, large); err != nil {
		t.Fatal(err)
	}
	if _, err := tree.Integrate(t.Context(), 200); err != nil {
		t.Fatal(err)
	}
	values, err := tree.Leaves(t.Context(), 0, 200)
	if err != nil {
		t.Fatal(err)
	}
	for i := range values {
		if !bytes.Equal(values[i], large[i].Value) {
			t.Errorf("leaf %d differs", i)
		}
	}
}

func TestAppendToARemoteTreeAgain(t *testing.T) {
	server, r := startServer(t, nil), new(reference)
	tree := dial(t, server.url(), trillian.DialOptions{})
	extend(t, tree, r, 600)
	// Another process, with no memory, repeats what it does not know.
	again := dial(t, server.url(), trillian.DialOptions{})
	if err := again.Append(t.Context(), 500, leaves(500, 200)); err != nil {
		t.Fatal(err)
	}
	head, err := again.Integrate(t.Context(), 700)
	if err != nil {
		t.Fatal(err)
	}
	if want := r.root(t, 700); head.Root != want {
		t.Errorf("root = %x, want %x", head.Root, want)
	}
	check(t, again, r, 700)
}

func TestAnotherWriterOfARemoteTreeIsFound(t *testing.T) {
	server := startServer(t, nil)
	tree, other := dial(t, server.url(), trillian.DialOptions{}), dial(t, server.url(), trillian.DialOptions{})
	if err := other.Append(t.Context(), 0, leaves(1000, 5)); err != nil {
		t.Fatal(err)
	}
	err := tree.Append(t.Context(), 0, leaves(0, 3))
	var foreign *trillian.ForeignLeafError
	if !errors.As(err, &foreign) || foreign.Index != 0 {
		t.Errorf("append: err = %v, want a foreign leaf at 0", err)
	}
	_, err = tree.Integrate(t.Context(), 3)
	var size *trillian.SizeError
	if !errors.As(err, &size) || size.Want != 3 || size.Got != 5 {
		t.Errorf("integrate: err = %v, want size 5 beyond 3", err)
	}
}

func TestAppendWaitsForTheServer(t *testing.T) {
	server, r := startServer(t, nil), new(reference)
	tree := dial(t, server.url(), trillian.DialOptions{})
	extend(t, tree, r, 10)
	server.rpc.Stop()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if err := tree.Append(ctx, 10, leaves(10, 1)); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("err = %v, want %v", err, context.DeadlineExceeded)
	}
	appended := make(chan error, 1)
	go func() { appended <- tree.Append(context.Background(), 10, leaves(10, 10)) }()
	server.serve(t)
	if err := <-appended; err != nil {
		t.Fatal(err)
	}
	extend(t, tree, r, 20)
	check(t, tree, r, 20)
}

func TestDialRefuses(t *testing.T) {
	server := startServer(t, nil)
	fresh, err := storage.CreateTree(t.Context(), server.registry.AdminStorage, testonly.PreorderedLogTree)
	if err != nil {
		t.Fatal(err)
	}
	_, port, err := net.SplitHostPort(server.address)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, url string
		want      error
		text      string
	}{
		{"a tree that does not exist", "trillian://" + server.address + "/1", trillian.ErrNotFound, "createtree"},
		{"a tree without a head", fmt.Sprintf("trillian://%s/%d", server.address, fresh.TreeId), trillian.ErrNotFound, "createtree"},
		{"plain text to what is not known to be this host", fmt.Sprintf("trillian://0.0.0.0:%s/1", port), nil, "handshake"},
		{"a server that is not there", "trillian://127.0.0.1:1/1", nil, "connection refused"},
		{"an address that is not canonical", "trillian://127.0.0.1:080/1", nil, "canonical"},
	} {
		_, err := trillian.Dial(t.Context(), c.url, trillian.DialOptions{})
		if err == nil || c.want != nil && !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.text) {
			t.Errorf("%s: err = %v, want %v with %q", c.name, err, c.want, c.text)
		}
	}
}

func TestDialWithTLS(t *testing.T) {
	certificate, pool := selfSigned(t)
	server := startServer(t, &tls.Config{Certificates: []tls.Certificate{certificate}})
	tree, r := dial(t, server.url(), trillian.DialOptions{TLS: &tls.Config{RootCAs: pool}}), new(reference)
	extend(t, tree, r, 10)
	check(t, tree, r, 10)
	if _, err := trillian.Dial(t.Context(), server.url(), trillian.DialOptions{TLS: new(tls.Config)}); err == nil {
		t.Error("a certificate that nobody vouches for was accepted")
	}
}
