package disk_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cairnlog/cairn/storage"
	"github.com/cairnlog/cairn/storage/disk"
	"github.com/cairnlog/cairn/storage/disk/memfs"
)

func wantErr(t *testing.T, what string, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("%s: error = %v, want %v", what, err, want)
	}
}

// openAll opens a store of each kind.
func openAll(d *disk.Dir) error {
	_, err1 := d.Register("signed")
	_, err2 := d.Registers("registers")
	_, err3 := d.Objects("objects")
	_, err4 := d.Journal("journal", key)
	_, err5 := d.Vault("vault")
	return errors.Join(err1, err2, err3, err4, err5)
}

func TestLock(t *testing.T) {
	path := t.TempDir() + "/a/b/data"
	d, err := disk.Open(path, disk.Options{Create: true})
	must(t, err)
	_, err = disk.Open(path, disk.Options{})
	wantErr(t, "open it again", err, storage.ErrLocked)
	if pid := fmt.Sprintf("(pid %d)", os.Getpid()); !strings.Contains(err.Error(), pid) {
		t.Errorf("error = %v, want it to contain %s", err, pid)
	}
	must(t, d.Close())
	d, err = disk.Open(path, disk.Options{})
	must(t, err)
	must(t, d.Close())
	if _, err := d.Register("signed"); !errors.Is(err, storage.ErrClosed) {
		t.Errorf("a store of a closed directory: error = %v, want ErrClosed", err)
	}
}

// TestLockNeedsNoRoom: on a disk that takes no byte a ledger can still be read.
func TestLockNeedsNoRoom(t *testing.T) {
	path := t.TempDir() + "/lock"
	must(t, os.WriteFile(path, nil, 0o600))
	f, err := os.Open(path) // cannot be written to either
	must(t, err)
	defer f.Close()
	must(t, disk.LockFile(f))
}

func TestNothingIsCreatedUnasked(t *testing.T) {
	path := t.TempDir() + "/data"
	_, err := disk.Open(path, disk.Options{})
	wantErr(t, "open what is not there", err, storage.ErrNotFound)
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("opening made the directory: %v", err)
	}
	must(t, os.Mkdir(path, 0o700))
	d, err := disk.Open(path, disk.Options{})
	must(t, err)
	defer d.Close()
	_, err = d.Registers("registers")
	wantErr(t, "registers", err, storage.ErrNotFound)
	_, err = d.Objects("objects")
	wantErr(t, "objects", err, storage.ErrNotFound)
	for range 2 {
		_, err = d.Journal("journal", key)
		wantErr(t, "journal", err, storage.ErrNotFound)
		_, err = d.Vault("vault")
		wantErr(t, "vault", err, storage.ErrNotFound)
		_ = os.Mkdir(path+"/journal", 0o700) // an empty directory is no journal either
		_ = os.Mkdir(path+"/vault", 0o700)
	}
}

func TestPermissions(t *testing.T) {
	path := t.TempDir() + "/data"
	d, err := disk.Open(path, disk.Options{Create: true})
	must(t, err)
	defer d.Close()
	must(t, openAll(d))
	o, err := d.Objects("objects")
	must(t, err)
	must(t, o.Put(t.Context(), "a/b/c", []byte("x")))
	r, err := d.Register("signed")
	must(t, err)
	must(t, r.Swap(t.Context(), nil, []byte("x")))
	must(t, filepath.WalkDir(path, func(name string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := e.Info()
		want := fs.FileMode(0o600)
		if e.IsDir() {
			want = fs.ModeDir | 0o700
		}
		if err == nil && info.Mode() != want {
			t.Errorf("%s has mode %v, want %v", name, info.Mode(), want)
		}
		return err
	}))
}

func TestStoreNames(t *testing.T) {
	d := openSimulated(t, memfs.New(nil))
	for _, name := range []string{"", "..", "a/b", "/a", ".hidden", "lock", "A"} {
		_, err := d.Register(name)
		wantErr(t, fmt.Sprintf("register %q", name), err, storage.ErrInvalid)
	}
	a, err := d.Vault("vault")
	must(t, err)
	b, err := d.Vault("vault")
	if err != nil || a != b {
		t.Errorf("the same name is another store: %v", err)
	}
	_, err = d.Journal("vault", key)
	wantErr(t, "a name of another kind", err, storage.ErrInvalid)
}

func TestSymbolicLinksLeadNowhere(t *testing.T) {
	path, outside := t.TempDir()+"/data", t.TempDir()
	d, err := disk.Open(path, disk.Options{Create: true})
	must(t, err)
	defer d.Close()
	o, err := d.Objects("objects")
	must(t, err)
	must(t, os.WriteFile(outside+"/secret", []byte("x"), 0o600))
	must(t, os.Symlink(outside, path+"/objects/link"))
	if b, err := o.Read(t.Context(), "link/secret"); err == nil {
		t.Errorf("Read through a link out of the directory = %q", b)
	}
	if err := o.Put(t.Context(), "link/new", []byte("x")); err == nil {
		t.Error("Put through a link out of the directory succeeds")
	}
	if _, err := os.Stat(outside + "/new"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a file was made outside: %v", err)
	}
}

func TestOpenRegister(t *testing.T) {
	path := t.TempDir() + "/copy of signed"
	_, err := disk.OpenRegister(t.TempDir() + "/absent/signed")
	wantErr(t, "a directory that is not there", err, storage.ErrNotFound)
	r, err := disk.OpenRegister(path)
	must(t, err)
	_, err = disk.OpenRegister(path)
	wantErr(t, "open it again", err, storage.ErrLocked)
	must(t, r.Swap(t.Context(), nil, []byte("one")))
	must(t, r.Close())
	_, err = r.Load(t.Context())
	wantErr(t, "load after Close", err, storage.ErrClosed)

	r, err = disk.OpenRegister(path)
	must(t, err)
	defer r.Close()
	// Somebody puts an older file back: no compare-and-swap is lost.
	must(t, r.Swap(t.Context(), []byte("one"), []byte("two")))
	b, err := os.ReadFile(path)
	must(t, err)
	must(t, r.Swap(t.Context(), []byte("two"), []byte("three")))
	must(t, os.WriteFile(path, b, 0o600))
	wantErr(t, "swap against an older file", r.Swap(t.Context(), []byte("three"), []byte("four")), storage.ErrConflict)
	if want := "cairn register v1\n3fc4ccfe745870e2c0d99f71f30ff0656c8dedd41cc1d7d3d376b0dbe685e2f3\ntwo"; string(b) != want {
		t.Errorf("the file is %q, want %q", b, want)
	}
}

// TestFilesStayBounded swaps much and keeps little.
func TestFilesStayBounded(t *testing.T) {
	fsys := memfs.New(nil)
	d := openSimulated(t, fsys)
	rs, err := d.Registers("registers")
	must(t, err)
	var old []byte
	for i := range 300 {
		value := fmt.Appendf(nil, "%0500d", i)
		must(t, rs.Register("a").Swap(t.Context(), old, value))
		old = value
	}
	info, err := fsys.Stat("registers")
	must(t, err)
	if info.Size > 64<<10 {
		t.Errorf("300 swaps of 500 bytes take %d bytes", info.Size)
	}

	v, err := d.Vault("vault")
	must(t, err)
	for n := range uint32(1000) {
		must(t, v.Write(t.Context(), []storage.VaultRecord{{Bucket: n, Data: []byte("x")}}))
	}
	for n := range uint32(1000) {
		_, err := v.Read(t.Context(), n, 0)
		must(t, err)
	}
	if n := fsys.OpenFiles(); n > 300 {
		t.Errorf("1000 buckets take %d open files", n)
	}
	must(t, v.Sync(t.Context()))
	must(t, d.Close())
	if n := fsys.OpenFiles(); n != 0 {
		t.Errorf("%d files are open after Close", n)
	}
}

// TestOpeningSweepsUp leaves behind what a process that died leaves behind.
func TestOpeningSweepsUp(t *testing.T) {
	fsys := memfs.New(nil)
	d := openSimulated(t, fsys)
	must(t, openAll(d))
	v, err := d.Vault("vault")
	must(t, err)
	must(t, v.Write(t.Context(), []storage.VaultRecord{{Bucket: 1, Data: []byte("x")}}))
	must(t, v.Sync(t.Context()))
	must(t, v.Write(t.Context(), []storage.VaultRecord{{Bucket: 2, Data: []byte("x")}}))
	fsys = fsys.Restart()
	f, err := fsys.Create("objects/.new/1")
	must(t, err)
	must(t, f.Close())

	d = openSimulated(t, fsys)
	must(t, openAll(d))
	got := strings.Join(files(t, fsys, "."), " ")
	want := "journal/0000000000000000 registers vault/00000001-1.records vault/00000001-1.rows vault/extents"
	if got != want {
		t.Errorf("files are %s, want %s", got, want)
	}
	v, err = d.Vault("vault")
	must(t, err)
	must(t, v.Drop(t.Context(), 1))
	if got, want := strings.Join(files(t, fsys, "vault"), " "), "vault/extents"; got != want {
		t.Errorf("after Drop files are %s, want %s", got, want)
	}
}

// TestVaultFilesMissing tells a bucket whose files are gone from one that was
// dropped.
func TestVaultFilesMissing(t *testing.T) {
	fsys := memfs.New(nil)
	d := openSimulated(t, fsys)
	must(t, fillVault(t, d))
	must(t, d.Close())
	must(t, fsys.Remove("vault/00000001-2.rows"))
	d = openSimulated(t, fsys)
	v, err := d.Vault("vault")
	must(t, err)
	_, err = v.Read(t.Context(), 1, 1)
	wantErr(t, "read from a bucket without files", err, storage.ErrCorrupt)
	_, err = v.Read(t.Context(), 0, 0)
	wantErr(t, "read from another bucket", err, nil)
}

// A directory with a journal and a register: the entry is durable before the
// register says so.
func Example() {
	path, _ := os.MkdirTemp("", "cairn-example")
	defer os.RemoveAll(path)
	ctx := context.Background()

	d, err := disk.Open(path, disk.Options{Create: true})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer d.Close()
	journal, err := d.Journal("journal", []byte("a secret key"))
	if err != nil {
		fmt.Println(err)
		return
	}
	register, err := d.Register("size")
	if err != nil {
		fmt.Println(err)
		return
	}
	position, err := journal.Append(ctx, []byte("an entry"))
	fmt.Println(position, err)
	fmt.Println(register.Swap(ctx, nil, []byte("1")))
	fmt.Println(journal.Replay(ctx, 0, func(position uint64, record []byte) error {
		fmt.Printf("%d: %s\n", position, bytes.ToUpper(record))
		return nil
	}))
	// Output:
	// 0 <nil>
	// <nil>
	// 0: AN ENTRY
	// <nil>
}
