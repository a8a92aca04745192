package signing_test

import (
	"bytes"
	"crypto/ed25519"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"

	"github.com/cairnlog/cairn/proofs"
	"github.com/cairnlog/cairn/witness/signing"
)

// The numbers of messages in the agents' protocol.
const (
	failure         = 5
	success         = 6
	identitiesAsked = 11
	identitiesTold  = 12
	signAsked       = 13
	signed          = 14
)

// serve answers each request at a socket with what a function makes of it: the
// bytes that go back, lengths included.
func serve(t testing.TB, socket string, answer func(request []byte) []byte) {
	serveConns(t, socket, func(conn net.Conn) {
		for {
			request, err := readRequest(conn)
			if err != nil {
				return
			}
			if _, err := conn.Write(answer(request)); err != nil {
				return
			}
		}
	})
}

func readRequest(conn net.Conn) ([]byte, error) {
	var size [4]byte
	if _, err := io.ReadFull(conn, size[:]); err != nil {
		return nil, err
	}
	request := make([]byte, binary.BigEndian.Uint32(size[:]))
	_, err := io.ReadFull(conn, request)
	return request, err
}

// serveConns gives a function each connection to a socket.
func serveConns(t testing.TB, socket string, use func(net.Conn)) {
	l, err := net.Listen("unix", socket)
	must(t, err)
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			serving.Go(func() {
				use(conn)
				conn.Close()
			})
		}
	})
	t.Cleanup(func() {
		l.Close()
		serving.Wait()
	})
}

// answerOnce gives each connection one of the answers.
func answerOnce(answers <-chan []byte) func(net.Conn) {
	return func(conn net.Conn) {
		_, _ = readRequest(conn)
		_, _ = conn.Write(<-answers)
	}
}

func message(kind byte, rest ...[]byte) []byte {
	body := append([]byte{kind}, bytes.Join(rest, nil)...)
	return append(binary.BigEndian.AppendUint32(nil, uint32(len(body))), body...)
}

func text(b []byte) []byte { return append(binary.BigEndian.AppendUint32(nil, uint32(len(b))), b...) }

// identities is the list of an agent's keys.
func identities(keys ...[]byte) []byte {
	list := binary.BigEndian.AppendUint32(nil, uint32(len(keys)))
	for _, k := range keys {
		list = append(list, append(text(k), text([]byte("a comment"))...)...)
	}
	return message(identitiesTold, list)
}

// signature is an answer with a signature.
func signature(algorithm string, b []byte) []byte {
	return message(signed, text(append(text([]byte(algorithm)), text(b)...)))
}

func keyBlob(number byte) []byte {
	k, err := ssh.NewPublicKey(public(number))
	if err != nil {
		panic(err)
	}
	return k.Marshal()
}

func fingerprintOf(blob []byte) string {
	return ssh.FingerprintSHA256(&agent.Key{Blob: blob})
}

// refuseToSign has one key, and does not sign with it.
func refuseToSign(number byte) func([]byte) []byte {
	return func(request []byte) []byte {
		if len(request) > 0 && request[0] == identitiesAsked {
			return identities(keyBlob(number))
		}
		return message(failure)
	}
}

// dataOf returns what a request asks to sign.
func dataOf(request []byte) []byte {
	if len(request) == 0 || request[0] != signAsked {
		return nil
	}
	rest := request[1:]
	rest = rest[4+binary.BigEndian.Uint32(rest):] // the key
	return rest[4 : 4+binary.BigEndian.Uint32(rest)]
}

func TestAHostileAgentGetsNothingSigned(t *testing.T) {
	good := func(request []byte) []byte { return ed25519.Sign(secret(1), dataOf(request)) }
	always := func(b []byte) func([]byte) []byte { return func([]byte) []byte { return b } }
	for name, answer := range map[string]func(request []byte) []byte{
		"no message":                        always(make([]byte, 4)),
		"4 GiB announced":                   always([]byte{0xff, 0xff, 0xff, 0xff, signed}),
		"16 MiB announced, and 2 MiB sent":  always(append([]byte{1, 0, 0, 0, signed}, make([]byte, 2<<20)...)),
		"a success without a signature":     always(message(success)),
		"a kind that there is not":          always(message(77, []byte("\x1b[2J"))),
		"a list in the place of signatures": always(identities(keyBlob(1))),
		"a failure without end":             always(bytes.Repeat(message(failure), 1000)),
		"a list of 2^32-1 keys":             always(append(message(failure), message(identitiesTold, []byte{0xff, 0xff, 0xff, 0xff})...)),
		"a list of 2^20 keys, none there":   always(append(message(failure), message(identitiesTold, []byte{0, 0x10, 0, 0})...)),
		"a key cut off":                     always(append(message(failure), message(identitiesTold, []byte{0, 0, 0, 1, 0, 0, 0, 9, 1})...)),
		"a key of 8 bytes":                  always(append(message(failure), identities(append(text([]byte("ssh-ed25519")), text(make([]byte, 8))...))...)),
		"no signature":                      always(message(signed)),
		"an empty signature":                always(message(signed, text(nil))),
		"a signature longer than it is":     always(message(signed, []byte{0, 0, 1, 0, 1})),
		"a signature of 0 bytes":            always(signature("ssh-ed25519", nil)),
		"a signature of 64 bytes of 0":      always(signature("ssh-ed25519", make([]byte, 64))),
		"a signature of 1 MB":               always(signature("ssh-ed25519", make([]byte, 1_000_000))),
		"a good one as of another algorithm": func(r []byte) []byte {
			return signature("sk-ssh-ed25519@openssh.com", good(r))
		},
		"a good one of other text": func(r []byte) []byte {
			return signature("ssh-ed25519", ed25519.Sign(secret(1), append(dataOf(r), 'x')))
		},
		"one by another key": func(r []byte) []byte {
			return signature("ssh-ed25519", ed25519.Sign(secret(2), dataOf(r)))
		},
		"a good one cut off": func(r []byte) []byte { return signature("ssh-ed25519", good(r))[:60] },
	} {
		t.Run(name, func(t *testing.T) {
			socket := newSocket(t)
			serve(t, socket, answer)
			k := agentKey(t, signing.NewAgent(socket, 300*time.Millisecond), proofs.Ed25519, 1)
			start := time.Now()
			s, err := k.SignCheckpoint(checkpoint(t), 0)
			if !errors.Is(err, proofs.ErrUnsigned) || len(s.Bytes) > 0 {
				t.Fatalf("got %v, %v, want ErrUnsigned", s, err)
			}
			if strings.ContainsAny(err.Error(), "\x1b\x00") || len(err.Error()) > 400 {
				t.Errorf("the error shows what the agent sent: %q", err)
			}
			if d := time.Since(start); d > patience {
				t.Errorf("it took %v", d)
			}
		})
	}
}

func TestAGoodAnswerIsTaken(t *testing.T) { // or the test above would show nothing
	socket := newSocket(t)
	serve(t, socket, func(r []byte) []byte { return signature("ssh-ed25519", ed25519.Sign(secret(1), dataOf(r))) })
	if _, err := agentKey(t, signing.NewAgent(socket, patience), proofs.Ed25519, 1).SignCheckpoint(checkpoint(t), 0); err != nil {
		t.Error(err)
	}
}

func TestASlowAgentIsGivenUp(t *testing.T) {
	const timeout = 100 * time.Millisecond
	hang := make(chan struct{})
	drip := func(conn net.Conn) {
		for _, b := range signature("ssh-ed25519", make([]byte, 64)) {
			if _, err := conn.Write([]byte{b}); err != nil {
				return
			}
			time.Sleep(20 * time.Millisecond)
		}
	}
	for name, use := range map[string]func(net.Conn){
		"it says nothing":        func(net.Conn) { <-hang },
		"it says a byte a while": drip,
	} {
		socket := newSocket(t)
		serveConns(t, socket, use)
		k := agentKey(t, signing.NewAgent(socket, timeout), proofs.Ed25519, 1)
		var all sync.WaitGroup
		start := time.Now()
		for range 4 { // those who wait for their turn give up, too
			all.Go(func() {
				_, err := k.SignCheckpoint(checkpoint(t), 0)
				if !errors.Is(err, proofs.ErrUnsigned) || !has(err, "no answer within 100ms") {
					t.Errorf("%s: got %v, want that it is slow", name, err)
				}
			})
		}
		all.Wait()
		if d := time.Since(start); d > patience {
			t.Errorf("%s: it took %v", name, d)
		}
	}
	close(hang)
}

func TestAnAgentThatBreaksOffIsAnError(t *testing.T) {
	socket := newSocket(t)
	serveConns(t, socket, func(net.Conn) {})
	_, err := agentKey(t, signing.NewAgent(socket, patience), proofs.Ed25519, 1).SignCheckpoint(checkpoint(t), 0)
	if !errors.Is(err, proofs.ErrUnsigned) || !has(err, "no answer of an ssh-agent") {
		t.Errorf("got %v", err)
	}
}
