package keyservice_test

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/json"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/cairnlog/cairn/ledger/keystate"
	"github.com/cairnlog/cairn/ledger/keystate/keyservice"
	"github.com/cairnlog/cairn/ledger/keytree"
	"github.com/cairnlog/cairn/storage/disk/memfs"
)

// aKMS answers as the KMS of AWS does, in its JSON protocol.
func aKMS(t *testing.T) *httptest.Server {
	block, err := aes.NewCipher(make([]byte, 32))
	if err != nil {
		t.Fatal(err)
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var body struct {
			KeyId                     string
			Plaintext, CiphertextBlob []byte
		}
		err := json.NewDecoder(r.Body).Decode(&body)
		w.Header().Set("Content-Type", "application/x-amz-json-1.1")
		answer := map[string]any{"KeyId": body.KeyId}
		switch target := r.Header.Get("X-Amz-Target"); {
		case err != nil || !strings.HasPrefix(r.Header.Get("Authorization"), "AWS4-HMAC-SHA256 Credential=test/"):
			w.WriteHeader(http.StatusBadRequest)
			answer = map[string]any{"__type": "AccessDeniedException"}
		case target == "TrentService.Encrypt" && body.KeyId == "alias/cairn":
			answer["CiphertextBlob"] = aead.Seal(nil, nil, body.Plaintext, nil)
		case target == "TrentService.Decrypt":
			plain, err := aead.Open(nil, nil, body.CiphertextBlob, nil)
			if answer["Plaintext"] = plain; err != nil {
				w.WriteHeader(http.StatusBadRequest)
				answer = map[string]any{"__type": "InvalidCiphertextException"}
			}
		default:
			w.WriteHeader(http.StatusBadRequest)
			answer = map[string]any{"__type": "NotFoundException"}
		}
		_ = json.NewEncoder(w).Encode(answer)
	}))
	t.Cleanup(server.Close)
	return server
}

// TestCellIsClosedByACloud takes one of those that gocloud opens through the
// life of a key state.
func TestCellIsClosedByACloud(t *testing.T) {
	for name, value := range map[string]string{
		"AWS_ENDPOINT_URL_KMS": aKMS(t).URL, "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_REGION": "eu-north-1",
		"AWS_CONFIG_FILE": "/nowhere", "AWS_SHARED_CREDENTIALS_FILE": "/nowhere", "AWS_EC2_METADATA_DISABLED": "true", "AWS_MAX_ATTEMPTS": "1",
	} {
		t.Setenv(name, value)
	}
	open := func(url string) keystate.Options {
		wrapper, err := keyservice.Open(t.Context(), url)
		if err != nil {
			t.Fatal(err)
		}
		return keystate.Options{Wrapper: wrapper, Rand: rand.NewChaCha8([32]byte{1})}
	}
	o := open("awskms://alias/cairn?region=eu-north-1")
	o.Places = places([]*memfs.FS{memfs.New(nil), memfs.New(nil)})
	s, err := keystate.Create(t.Context(), o, keytree.New([32]byte{5}))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Destroy(t.Context(), bucket(1)); err != nil {
		t.Fatal(err)
	}
	if s, err = keystate.Open(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	holds(t, s.Tree(), 1)
	if h, ok, err := o.Places[0].Holding(); !ok || err != nil || h.Wrapping != o.Wrapper.Name() {
		t.Errorf("got %+v, %v", h, err)
	}
	other := open("awskms://alias/other?region=eu-north-1")
	other.Places = places([]*memfs.FS{memfs.New(nil)})
	if _, err := keystate.Create(t.Context(), other, keytree.New([32]byte{5})); err == nil {
		t.Error("a key that is not there closes a cell")
	}
}

// TestEveryCloudIsLinked: their URLs are known, and nobody is asked yet.
func TestEveryCloudIsLinked(t *testing.T) {
	for _, url := range []string{
		"awskms://alias/cairn?region=eu-north-1", "azurekeyvault://cairn.vault.azure.net/keys/cairn",
	} {
		if w, err := keyservice.Open(t.Context(), url); err != nil || w.Name() != url {
			t.Errorf("%s: got %v, %v", url, w, err)
		}
	}
	// Google's asks for credentials first, which are none here.
	t.Setenv("GOOGLE_APPLICATION_CREDENTIALS", "/nowhere")
	_, err := keyservice.Open(t.Context(), "gcpkms://projects/p/locations/l/keyRings/r/cryptoKeys/k")
	if err == nil || !strings.Contains(err.Error(), "/nowhere") {
		t.Errorf("gcpkms: got %v, want that it has no credentials", err)
	}
}
