package signing_test

import (
	"crypto/ed25519"
	"errors"
	"fmt"
	"log"

	"golang.org/x/crypto/ssh/agent"

	"github.com/cairnlog/cairn/proofs"
	"github.com/cairnlog/cairn/witness/signing"
	"github.com/cairnlog/cairn/witness/signing/agenttest"
)

// A log whose key an ssh-agent has signs while the agent does.
func Example() {
	socket, remove, err := agenttest.Socket()
	if err != nil {
		log.Fatal(err)
	}
	defer remove()
	running, err := agenttest.Start(socket)
	if err != nil {
		log.Fatal(err)
	}
	private := ed25519.NewKeyFromSeed(make([]byte, 32))
	if err := running.Add(agent.AddedKey{PrivateKey: private}); err != nil {
		log.Fatal(err)
	}

	// The operator chooses a key as ssh-add -l shows it, and keeps its name.
	a := signing.NewAgent(socket, 0)
	public, err := a.Find("SHA256:tAXFyTXI8xtDaujAEcwJslAYc9/6FKcUkd2Lw0xDhPo")
	if err != nil {
		log.Fatal(err)
	}
	key, err := a.Key("log.example.com", proofs.Ed25519, public)
	if err != nil {
		log.Fatal(err)
	}
	file := signing.FormatKeys("signing keys of a log", []proofs.SigningKey{key})
	fmt.Printf("%s", file)

	// The log reads the file, and signs.
	keys, err := signing.ParseKeys(file, a)
	if err != nil {
		log.Fatal(err)
	}
	text, err := proofs.FormatCheckpoint(proofs.Checkpoint{Origin: "log.example.com", Root: proofs.EmptyRoot()})
	if err != nil {
		log.Fatal(err)
	}
	signature, err := keys[0].SignCheckpoint(text, 0)
	fmt.Println(len(signature.Bytes), err)
	if err := running.Close(); err != nil {
		log.Fatal(err)
	}
	_, err = keys[0].SignCheckpoint(text, 0)
	fmt.Println(errors.Is(err, proofs.ErrUnsigned))
	// Output:
	// # signing keys of a log
	// # SHA256:tAXFyTXI8xtDaujAEcwJslAYc9/6FKcUkd2Lw0xDhPo
	// ssh-agent log.example.com+eab2487c+ATtqJ7zOtqQtYqOo0CpvDXNlMhV3HeJDpjrASKGLWdop
	// 64 <nil>
	// true
}
