package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"os"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/cairnlog/cairn/proofs"
	"github.com/cairnlog/cairn/witness"
)

func matches(pattern, text string) bool {
	return regexp.MustCompile("(?m)" + pattern).MatchString(text)
}

// testlog is a log that knows only how to make checkpoints:
//
//	testlog key FILE NAME TYPE           makes a key (ed25519 or mldsa) and prints its verifier key
//	testlog ask URL FILE OLD SIZE TREE   asks a witness, and checks the answer by cairn-witness/policy
//	testlog get URL ORIGIN               prints the checkpoint that monitors are served
//	testlog fetch URL                    prints what is there, and on stderr how it came
//	testlog certificate FILE             makes a certificate for nobody, and its key
func testlog(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	verbs := map[string]func(context.Context, []string, io.Writer) error{
		"key": testlogKey, "ask": testlogAsk, "get": testlogGet, "fetch": testlogFetch, "certificate": testlogCertificate,
	}
	if err := verbs[args[0]](ctx, args[1:], stdout); err != nil {
		fmt.Fprintf(stderr, "testlog: %v\n", err)
		return 1
	}
	return 0
}

func testlogKey(_ context.Context, args []string, stdout io.Writer) error {
	types := map[string]proofs.KeyType{"ed25519": proofs.Ed25519, "mldsa": proofs.MLDSA44, "witness": proofs.Ed25519Cosignature}
	k, err := proofs.GenerateKey(args[1], types[args[2]], rand.Reader)
	if err != nil {
		return err
	}
	fmt.Fprintln(stdout, k.Key())
	return os.WriteFile(args[0], []byte(k.Secret()), 0o600)
}

// A tree is a history of its name: no two names share an entry but the first.
type tree string

func (t tree) ReadNodes(_ context.Context, ids []proofs.NodeID) (hashes []proofs.Hash, err error) {
	for _, id := range ids {
		hashes = append(hashes, t.node(id))
	}
	return hashes, nil
}

func (t tree) node(id proofs.NodeID) proofs.Hash {
	switch {
	case id.Level > 0:
		return proofs.NodeHash(t.node(proofs.NodeID{Level: id.Level - 1, Index: 2 * id.Index}),
			t.node(proofs.NodeID{Level: id.Level - 1, Index: 2*id.Index + 1}))
	case id.Index == 0:
		return proofs.LeafHash([]byte("first"))
	}
	return proofs.LeafHash(fmt.Appendf(nil, "%s %d", t, id.Index))
}

func testlogAsk(ctx context.Context, args []string, stdout io.Writer) error {
	secret, err := os.ReadFile(args[1])
	if err != nil {
		return err
	}
	k, err := proofs.ParseSigningKey(string(secret))
	if err != nil {
		return err
	}
	old, err1 := strconv.ParseUint(args[2], 10, 32)
	size, err2 := strconv.ParseUint(args[3], 10, 32)
	history := tree(args[4])
	root, err3 := proofs.Root(ctx, size, history)
	proof, err4 := proofs.ProveConsistency(ctx, old, size, history)
	text, err5 := proofs.FormatCheckpoint(proofs.Checkpoint{Origin: k.Key().Name(), Size: size, Root: root})
	signature, err6 := k.SignCheckpoint(text, 1)
	if err := errors.Join(err1, err2, err3, err4, err5, err6); err != nil {
		return err
	}
	note := proofs.FormatNote(proofs.Note{Text: text, Signatures: []proofs.Signature{signature}})
	answer, err := witness.NewClient(args[0], insecure()).AddCheckpoint(ctx, witness.Request{Old: old, Proof: proof, Checkpoint: note})
	if err != nil {
		return err
	}
	return checkByPolicy(k.Key(), append(note, answer...), stdout)
}

// checkByPolicy checks a checkpoint as a verifier would who pasted the lines
// that init printed.
func checkByPolicy(log proofs.Key, signed []byte, stdout io.Writer) error {
	lines, err := os.ReadFile("cairn-witness/policy")
	if err != nil {
		return err
	}
	words := strings.Fields(string(lines))
	group := words[len(words)-4]
	policy, err := proofs.ParsePolicy(fmt.Appendf(lines, "log %s\nquorum %s\n", log, group))
	if err != nil {
		return err
	}
	verdict, err := policy.Check(signed)
	if err != nil {
		return err
	}
	fmt.Fprintf(stdout, "size %d cosigned by %d keys\n", verdict.Checkpoint.Size, len(verdict.Cosignatures))
	return nil
}

func testlogGet(ctx context.Context, args []string, stdout io.Writer) error {
	return testlogFetch(ctx, []string{args[0] + "/" + witness.OriginHash(args[1]) + "/checkpoint"}, stdout)
}

func testlogFetch(ctx context.Context, args []string, stdout io.Writer) error {
	req, err := http.NewRequestWithContext(ctx, "GET", args[0], nil)
	if err != nil {
		return err
	}
	answer, err := insecure().Do(req)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.TLS != nil {
		fmt.Fprintln(os.Stderr, answer.Proto, answer.TLS.PeerCertificates[0].Subject)
	}
	if _, err := io.Copy(stdout, answer.Body); err != nil || answer.StatusCode != http.StatusOK {
		return errors.Join(err, errors.New(answer.Status))
	}
	return nil
}

// insecure is a client that believes every certificate.
func insecure() *http.Client {
	return &http.Client{Transport: &http.Transport{ForceAttemptHTTP2: true, TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}
}

func testlogCertificate(_ context.Context, args []string, _ io.Writer) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	now := time.Now()
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: args[0]},
		NotBefore: now.Add(-time.Hour), NotAfter: now.Add(time.Hour), DNSNames: []string{"witness.test"}}
	certificate, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return err
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	write := func(name, kind string, der []byte) error {
		return os.WriteFile(name, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600)
	}
	return errors.Join(write(args[0]+".pem", "CERTIFICATE", certificate), write(args[0]+".key", "PRIVATE KEY", secret))
}
