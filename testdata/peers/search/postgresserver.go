package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
)

const startsWithin = 30 * time.Second

// A server is a PostgreSQL server of our own. It listens on a Unix socket in its
// directory and nowhere else.
type server struct {
	dir     string
	process *os.Process
}

// postgresPrograms returns the directory of PostgreSQL's programs.
func postgresPrograms() (string, error) {
	if path, err := exec.LookPath("initdb"); err == nil {
		return filepath.Dir(path), nil
	}
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if err != nil || len(found) == 0 {
		return "", errors.New("PostgreSQL's server is not installed: there is neither initdb in PATH nor /usr/lib/postgresql/*/bin/initdb")
	}
	return filepath.Dir(slices.Max(found)), nil
}

// startServer makes a database cluster in an empty directory, which others may
// have to be able to reach, and starts a server on it.
func startServer(dir string) (*server, error) {
	programs, err := postgresPrograms()
	if err != nil {
		return nil, err
	}
	attributes, err := unprivileged(dir)
	if err != nil {
		return nil, err
	}
	data := filepath.Join(dir, "data")
	initdb := exec.Command(filepath.Join(programs, "initdb"), "-D", data, "-U", "cairn", "-A", "trust", "-E", "UTF8", "--no-locale", "--no-sync")
	initdb.Dir, initdb.SysProcAttr = dir, attributes
	if out, err := initdb.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("initdb: %w\n%s", err, out)
	}
	log, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		return nil, err
	}
	defer log.Close()
	postgres := exec.Command(filepath.Join(programs, "postgres"), "-D", data, "-k", dir, "-c", "listen_addresses=",
		"-c", "shared_buffers=256MB", "-c", "work_mem=64MB", "-c", "maintenance_work_mem=256MB", "-c", "max_wal_size=4GB",
		"-c", "jit=off", "-c", "plan_cache_mode=force_custom_plan")
	postgres.Dir, postgres.SysProcAttr, postgres.Stdout, postgres.Stderr = dir, attributes, log, log
	if err := postgres.Start(); err != nil {
		return nil, err
	}
	return &server{dir, postgres.Process}, nil
}

// unprivileged gives a directory to a user who is not root, as whom PostgreSQL
// must run, where we are root.
func unprivileged(dir string) (*syscall.SysProcAttr, error) {
	if os.Getuid() != 0 {
		return nil, nil
	}
	u, err := user.Lookup("postgres")
	if err != nil {
		if u, err = user.Lookup("nobody"); err != nil {
			return nil, err
		}
	}
	uid, err := strconv.Atoi(u.Uid)
	if err != nil {
		return nil, err
	}
	gid, err := strconv.Atoi(u.Gid)
	if err != nil {
		return nil, err
	}
	credential := &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	return &syscall.SysProcAttr{Credential: credential}, os.Chown(dir, uid, gid)
}

// connect waits until the server answers.
func (s *server) connect() (*pgx.Conn, error) {
	config, err := pgx.ParseConfig(fmt.Sprintf("host=%s port=5432 user=cairn dbname=postgres sslmode=disable", s.dir))
	if err != nil {
		return nil, err
	}
	for deadline := time.Now().Add(startsWithin); ; time.Sleep(50 * time.Millisecond) {
		conn, err := pgx.ConnectConfig(context.Background(), config)
		if err == nil {
			return conn, nil
		}
		if time.Now().After(deadline) {
			log, _ := os.ReadFile(filepath.Join(s.dir, "log"))
			return nil, fmt.Errorf("PostgreSQL does not start: %w\n%s", err, log)
		}
	}
}

// stop ends the server and waits until it has ended.
func (s *server) stop() error {
	if err := s.process.Signal(os.Interrupt); err != nil { // a fast shutdown
		return err
	}
	_, err := s.process.Wait()
	return err
}
