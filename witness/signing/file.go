package signing

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"

	"filippo.io/age"
)

// A Passphrase returns the passphrase of a file of secrets. It is called only
// where one is needed.
type Passphrase func() (string, error)

// A FileError says why a file of secrets that could be read is not used.
type FileError struct {
	Path string
	Err  error
}

func (e *FileError) Error() string { return e.Path + ": " + e.Err.Error() }
func (e *FileError) Unwrap() error { return e.Err }

const (
	maxFile  = 1 << 20 // bytes
	ageIntro = "age-encryption.org/v1"
)

// ReadFile reads a file of secrets, and decrypts it where it is encrypted.
// The error is a [FileError] where others than its owner can read it, where it
// is larger than 1 MiB, and where the passphrase does not open it; those of the
// passphrase are given on as they are.
func ReadFile(path string, passphrase Passphrase) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 {
		return nil, &FileError{path, fmt.Errorf("others can read it (mode %04o): make it yours alone with chmod 600", mode)}
	}
	data, err := readAll(path, f)
	if err != nil || !isEncrypted(data) {
		return data, err
	}
	return decrypt(path, data, passphrase)
}

func readAll(path string, r io.Reader) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxFile+1))
	if err == nil && len(data) > maxFile {
		return nil, &FileError{path, fmt.Errorf("larger than %d bytes", maxFile)}
	}
	return data, err
}

func decrypt(path string, data []byte, passphrase Passphrase) ([]byte, error) {
	if passphrase == nil {
		return nil, &FileError{path, errors.New("it is encrypted and no passphrase was given")}
	}
	secret, err := passphrase()
	if err != nil {
		return nil, err
	}
	identity, err := age.NewScryptIdentity(secret)
	if err != nil {
		return nil, &FileError{path, err}
	}
	plain, err := age.Decrypt(bytes.NewReader(data), identity)
	if err == nil {
		data, err = readAll(path, plain)
	}
	if err != nil {
		return nil, &FileError{path, errors.New("the passphrase does not open it")}
	}
	return data, nil
}

// IsEncrypted reports whether a file of secrets needs a passphrase.
func IsEncrypted(path string) (bool, error) {
	f, err := os.Open(path)
	if err != nil {
		return false, err
	}
	defer f.Close()
	intro := make([]byte, len(ageIntro))
	n, err := io.ReadFull(f, intro)
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
		err = nil
	}
	return isEncrypted(intro[:n]), err
}

func isEncrypted(data []byte) bool { return bytes.HasPrefix(data, []byte(ageIntro)) }

// Encrypt encrypts the content of a file of secrets with a passphrase (age,
// scrypt). A work factor of 0 is age's own, about a second.
func Encrypt(data []byte, passphrase string, workFactor int) ([]byte, error) {
	recipient, err := age.NewScryptRecipient(passphrase)
	if err != nil {
		return nil, err
	}
	if workFactor > 0 {
		recipient.SetWorkFactor(workFactor)
	}
	var out bytes.Buffer
	w, err := age.Encrypt(&out, recipient)
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(data); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}
