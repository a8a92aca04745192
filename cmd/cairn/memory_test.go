package main

import (
	"context"
	"errors"
	"path/filepath"
	"testing"
	"time"

	"github.com/cairnlog/cairn/storage"
	"github.com/cairnlog/cairn/storage/disk"
)

func TestMemoryFilesWaitForEachOther(t *testing.T) {
	path := filepath.Join(t.TempDir(), "memory")
	ctx := t.Context()
	m := memoryFile{path: path, wait: 10 * time.Second}
	if err := m.Swap(ctx, nil, []byte("one")); err != nil {
		t.Fatal(err)
	}
	other, err := disk.OpenRegister(path)
	if err != nil {
		t.Fatal(err)
	}
	impatient := memoryFile{path: path}
	if _, err := impatient.Load(ctx); !errors.Is(err, storage.ErrLocked) {
		t.Errorf("while another has it: got error %v, want ErrLocked", err)
	}
	ended, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := m.Load(ended); !errors.Is(err, context.Canceled) {
		t.Errorf("when the command is interrupted: got error %v, want context.Canceled", err)
	}
	released := make(chan error)
	go func() { released <- other.Close() }()
	got, err := m.Load(ctx)
	if err != nil || string(got) != "one" {
		t.Errorf("when the other is done: got %q and error %v, want one", got, err)
	}
	if err := <-released; err != nil {
		t.Fatal(err)
	}
	if err := m.Swap(ctx, []byte("two"), []byte("three")); !errors.Is(err, storage.ErrConflict) {
		t.Errorf("swap of another value: got error %v, want ErrConflict", err)
	}
}

func TestMemoryPath(t *testing.T) {
	const name = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" // SHA-256 of nothing
	tests := []struct {
		name string
		flag string
		env  map[string]string
		want string
	}{
		{"the flag decides", "x", map[string]string{"CAIRN_STATE": "y", "HOME": "/h"}, "x"},
		{"then the environment", "", map[string]string{"CAIRN_STATE": "y", "HOME": "/h"}, "y"},
		{"then the state directory", "", map[string]string{"XDG_STATE_HOME": "/s", "HOME": "/h"}, "/s/cairn/" + name},
		{"then the home directory", "", map[string]string{"HOME": "/h"}, "/h/.local/state/cairn/" + name},
		{"and without any it asks", "", nil, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := &program{memory: tt.flag, env: func(name string) string { return tt.env[name] }}
			got, err := p.memoryPath("")
			if got != tt.want || (err == nil) != (tt.want != "") {
				t.Errorf("got %q and error %v, want %q", got, err, tt.want)
			}
		})
	}
}
