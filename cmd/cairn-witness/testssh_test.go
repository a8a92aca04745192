package main

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"os"
	"os/signal"
	"syscall"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"

	"github.com/cairnlog/cairn/witness/signing/agenttest"
)

// testssh is what the scripts need of OpenSSH, where there is none:
//
//	testssh key FILE            makes a key and, in FILE.pub, its public key
//	testssh agent SOCKET        is an ssh-agent until a signal ends it
//	testssh add SOCKET FILE     gives it a key
//	testssh lock SOCKET         locks it
//	testssh unlock SOCKET       unlocks it
func testssh(args []string) int {
	verbs := map[string]func([]string) error{
		"key": testsshKey, "agent": testsshAgent, "add": testsshAdd,
		"lock": func(args []string) error {
			return atAgent(args[0], func(a agent.Agent) error { return a.Lock([]byte("p")) })
		},
		"unlock": func(args []string) error {
			return atAgent(args[0], func(a agent.Agent) error { return a.Unlock([]byte("p")) })
		},
	}
	if err := verbs[args[0]](args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "testssh:", err)
		return 1
	}
	return 0
}

func testsshKey(args []string) error {
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return err
	}
	block, err := ssh.MarshalPrivateKey(private, "test")
	if err != nil {
		return err
	}
	key, err := ssh.NewPublicKey(public)
	if err != nil {
		return err
	}
	return errors.Join(os.WriteFile(args[0], pem.EncodeToMemory(block), 0o600), os.WriteFile(args[0]+".pub", ssh.MarshalAuthorizedKey(key), 0o644))
}

func testsshAgent(args []string) error {
	ended := make(chan os.Signal, 1)
	signal.Notify(ended, os.Interrupt, syscall.SIGTERM)
	a, err := agenttest.Start(args[0])
	if err != nil {
		return err
	}
	<-ended
	return a.Close()
}

func testsshAdd(args []string) error {
	data, err := os.ReadFile(args[1])
	if err != nil {
		return err
	}
	key, err := ssh.ParseRawPrivateKey(data)
	if err != nil {
		return err
	}
	err = atAgent(args[0], func(a agent.Agent) error { return a.Add(agent.AddedKey{PrivateKey: key}) })
	if err == nil {
		fmt.Println("added")
	}
	return err
}

// atAgent does something at the agent of a socket.
func atAgent(socket string, do func(agent.Agent) error) error {
	conn, err := net.Dial("unix", socket)
	if err != nil {
		return err
	}
	return errors.Join(do(agent.NewClient(conn)), conn.Close())
}
