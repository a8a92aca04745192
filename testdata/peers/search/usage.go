package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// A usage is what processes have used.
type usage struct {
	CPU    time.Duration // since they began, with that of children that ended
	Memory int64         // bytes that are resident now; what processes share counts once
}

const tick = 10 * time.Millisecond // the unit of processor time in /proc

// used returns the usage of this process and of the index's server, if it has
// one.
func used(x Index) (usage, error) {
	pids := []int{os.Getpid()}
	if s, ok := x.(Served); ok {
		children, err := childrenOf(s.Server())
		if err != nil {
			return usage{}, err
		}
		pids = append(append(pids, s.Server()), children...)
	}
	var sum usage
	for _, pid := range pids {
		u, err := usedBy(pid)
		if os.IsNotExist(err) { // a child has ended
			continue
		}
		if err != nil {
			return usage{}, err
		}
		sum.CPU += u.CPU
		sum.Memory += u.Memory
	}
	return sum, nil
}

// stat returns the words of /proc/PID/stat from the third on: proc(5).
func stat(pid int) ([]string, error) {
	line, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return nil, err
	}
	return strings.Fields(string(line[bytes.LastIndexByte(line, ')')+1:])), nil
}

func childrenOf(parent int) ([]int, error) {
	found, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		return nil, err
	}
	var children []int
	for _, path := range found {
		pid, err := strconv.Atoi(filepath.Base(path))
		if err != nil {
			return nil, err
		}
		if words, err := stat(pid); err == nil && words[1] == strconv.Itoa(parent) {
			children = append(children, pid)
		}
	}
	return children, nil
}

func usedBy(pid int) (usage, error) {
	words, err := stat(pid)
	if err != nil {
		return usage{}, err
	}
	var u usage
	for _, word := range words[11:15] { // utime, stime, cutime, cstime
		ticks, err := strconv.Atoi(word)
		if err != nil {
			return usage{}, err
		}
		u.CPU += time.Duration(ticks) * tick
	}
	rollup, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
	if err != nil {
		return usage{}, err
	}
	for line := range strings.Lines(string(rollup)) {
		if size, ok := strings.CutPrefix(line, "Pss:"); ok {
			kB, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(size), " kB"), 10, 64)
			u.Memory = kB << 10
			return u, err
		}
	}
	return u, fmt.Errorf("process %d: no resident size", pid)
}

// sizeOf returns the bytes of all files in a directory.
func sizeOf(dir string) (int64, error) {
	var size int64
	err := filepath.WalkDir(dir, func(_ string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		info, err := entry.Info()
		if errors.Is(err, fs.ErrNotExist) { // it was replaced just now
			return nil
		}
		if err == nil {
			size += info.Size()
		}
		return err
	})
	return size, err
}
