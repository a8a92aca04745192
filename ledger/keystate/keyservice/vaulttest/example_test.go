package vaulttest_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/cairnlog/cairn/ledger/keystate/keyservice/vaulttest"
)

func Example() {
	vault := vaulttest.Start("k")
	defer vault.Close()
	ask := func(operation, body string) string {
		r, err := http.NewRequest("POST", vault.URL+"/v1/transit/"+operation, strings.NewReader(body))
		if err != nil {
			panic(err)
		}
		r.Header.Set("X-Vault-Token", vault.Token)
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			panic(err)
		}
		defer answer.Body.Close()
		b, err := io.ReadAll(answer.Body)
		if err != nil {
			panic(err)
		}
		return string(b)
	}
	_, rest, _ := strings.Cut(ask("encrypt/k", `{"plaintext":"aGVsbG8="}`), `"ciphertext":"`)
	ciphertext, _, _ := strings.Cut(rest, `"`)
	ask("keys/k/rotate", "")
	ask("keys/k/config", `{"min_decryption_version":2,"min_encryption_version":2}`)
	fmt.Print(ask("decrypt/k", `{"ciphertext":"`+ciphertext+`"}`))
	ask("keys/k/trim", `{"min_available_version":2}`)
	fmt.Println("versions:", vault.Versions("k"))
	// Output:
	// {"errors":["ciphertext or signature version is disallowed by policy (too old)"]}
	// versions: 1
}
