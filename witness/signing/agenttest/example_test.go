package agenttest_test

import (
	"crypto/ed25519"
	"fmt"
	"log"

	"golang.org/x/crypto/ssh/agent"

	"github.com/cairnlog/cairn/witness/signing"
	"github.com/cairnlog/cairn/witness/signing/agenttest"
)

func Example() {
	socket, remove, err := agenttest.Socket()
	if err != nil {
		log.Fatal(err)
	}
	defer remove()
	a, err := agenttest.Start(socket)
	if err != nil {
		log.Fatal(err)
	}
	private := ed25519.NewKeyFromSeed(make([]byte, 32))
	if err := a.Add(agent.AddedKey{PrivateKey: private}); err != nil {
		log.Fatal(err)
	}
	const fingerprint = "SHA256:tAXFyTXI8xtDaujAEcwJslAYc9/6FKcUkd2Lw0xDhPo"
	_, err = signing.NewAgent(socket, 0).Find(fingerprint)
	fmt.Println(err)
	if err := a.Close(); err != nil {
		log.Fatal(err)
	}
	_, err = signing.NewAgent(socket, 0).Find(fingerprint)
	fmt.Println(err != nil)
	// Output:
	// <nil>
	// true
}
