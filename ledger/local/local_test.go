package local_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cairnlog/cairn/client"
	"github.com/cairnlog/cairn/ledger"
	"github.com/cairnlog/cairn/ledger/local"
	"github.com/cairnlog/cairn/proofs"
	"github.com/cairnlog/cairn/storage"
)

func initLedger(t *testing.T, o local.InitOptions) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "ledger")
	if o.Origin == "" {
		o.Origin = "example.com/local"
	}
	if err := local.Init(context.Background(), dir, o); err != nil {
		t.Fatal(err)
	}
	return dir
}

func open(t *testing.T, dir string, o local.Options) *local.Directory {
	t.Helper()
	var c local.Config
	if err := local.Decode(filepath.Join(dir, local.ConfigFile), &c); err != nil {
		t.Fatal(err)
	}
	d, err := local.Open(context.Background(), dir, c, o)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func appendOne(t *testing.T, d *local.Directory, ev client.Event) client.Appended {
	t.Helper()
	got, err := d.Ledger.As(ledger.Caller{Name: "alice"}).Append(context.Background(), ledger.DefaultStream, []client.Event{ev}, client.Witnessed)
	if err != nil {
		t.Fatal(err)
	}
	if got[0].Err != nil {
		t.Fatal(got[0].Err)
	}
	return got[0]
}

func TestLedgerSurvivesBeingClosed(t *testing.T) {
	dir := initLedger(t, local.InitOptions{PostQuantum: true})
	ev := payload(1, 300)
	var first client.Appended
	for run := range 3 {
		d := open(t, dir, local.Options{})
		got := appendOne(t, d, ev)
		if run == 0 {
			first = got
		} else if !got.Duplicate || got.Index != first.Index {
			t.Errorf("run %d: got index %d, duplicate %v, want %d again", run, got.Index, got.Duplicate, first.Index)
		}
		receipt, err := proofs.ParseReceipt(got.Receipt)
		if err != nil {
			t.Fatal(err)
		}
		if v, err := receipt.Check(d.Policy, got.Leaf); err != nil || len(v.LogKeys) != 2 {
			t.Errorf("run %d: receipt: got %d log keys, %v, want the Ed25519 and the ML-DSA-44 one", run, len(v.LogKeys), err)
		}
		if err := d.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestKeyFilesCanBeEncrypted(t *testing.T) {
	dir := initLedger(t, local.Quick(local.InitOptions{Passphrase: "correct horse"}))
	for _, name := range []string{"log.key", "secrets.key"} {
		data, err := os.ReadFile(filepath.Join(dir, "keys", name))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.HasPrefix(data, []byte("age-encryption.org/v1")) {
			t.Errorf("%s is not encrypted", name)
		}
	}
	if _, err := local.Open(context.Background(), dir, local.Config{}, local.Options{Passphrase: func() (string, error) { return "wrong", nil }}); err == nil {
		t.Error("a wrong passphrase opens the ledger")
	}
	d := open(t, dir, local.Options{Passphrase: func() (string, error) { return "correct horse", nil }})
	if err := d.Close(); err != nil {
		t.Error(err)
	}
}

func TestKeyFileThatOthersCanReadIsRefused(t *testing.T) {
	dir := initLedger(t, local.InitOptions{})
	if err := os.Chmod(filepath.Join(dir, "keys", "log.key"), 0o640); err != nil {
		t.Fatal(err)
	}
	if _, err := local.Open(context.Background(), dir, local.Config{}, local.Options{}); err == nil || !strings.Contains(err.Error(), "chmod 600") {
		t.Errorf("got %v, want a refusal that says what to do", err)
	}
}

func TestOneProcessAtATime(t *testing.T) {
	dir := initLedger(t, local.InitOptions{})
	d := open(t, dir, local.Options{})
	defer d.Close()
	if _, err := local.Open(context.Background(), dir, local.Config{}, local.Options{}); !errors.Is(err, storage.ErrLocked) {
		t.Errorf("got %v, want ErrLocked", err)
	}
}

func TestCopyFromThePastIsRefused(t *testing.T) {
	elsewhere := filepath.Join(t.TempDir(), "signed")
	c := local.Config{SignedCopy: elsewhere}
	dir := initLedger(t, local.InitOptions{Config: c})
	past := filepath.Join(t.TempDir(), "past")
	if err := os.CopyFS(past, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"log.key", "secrets.key"} {
		if err := os.Chmod(filepath.Join(past, "keys", name), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	d, err := local.Open(context.Background(), dir, c, local.Options{})
	if err != nil {
		t.Fatal(err)
	}
	appendOne(t, d, payload(1, 100))
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	_, err = local.Open(context.Background(), past, c, local.Options{})
	var restored *ledger.RestoredError
	if !errors.As(err, &restored) {
		t.Errorf("got %v, want a RestoredError", err)
	}
}

func TestUnknownSettingNamesItsLine(t *testing.T) {
	path := filepath.Join(t.TempDir(), "cairn.toml")
	if err := os.WriteFile(path, []byte("data = \"d\"\nheartbaet = \"1m\"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	var c local.Config
	if err := local.Decode(path, &c); err == nil || !strings.Contains(err.Error(), ":2:") || !strings.Contains(err.Error(), "heartbaet") {
		t.Errorf("got %v, want line 2 and the setting", err)
	}
}

// TestNoPlaintextOnDisk looks for a payload, its key, its stream and its
// writer in every file of the ledger.
func TestNoPlaintextOnDisk(t *testing.T) {
	dir := initLedger(t, local.InitOptions{})
	d := open(t, dir, local.Options{})
	marker := "marker-" + rand.Text()
	if _, err := d.Ledger.As(ledger.Caller{Name: "operator", Role: "operator"}).AddStream(context.Background(), ledger.StreamConfig{
		Name: strings.ToLower("stream-" + marker), Fields: []ledger.FieldConfig{{Name: "who", Path: "$.who", Subject: true}},
	}); err != nil {
		t.Fatal(err)
	}
	ev := client.Event{Data: []byte(`{"who":"` + marker + `"}`), IdempotencyKey: marker, Source: marker, Subjects: []string{marker}}
	got, err := d.Ledger.As(ledger.Caller{Name: marker}).Append(context.Background(), strings.ToLower("stream-"+marker), []client.Event{ev}, client.Witnessed)
	if err != nil || got[0].Err != nil {
		t.Fatal(err, got)
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	err = filepath.WalkDir(dir, func(path string, e os.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		if bytes.Contains(bytes.ToLower(data), []byte(strings.ToLower(marker))) {
			t.Errorf("%s holds plaintext", path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
