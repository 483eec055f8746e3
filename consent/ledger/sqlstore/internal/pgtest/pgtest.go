// Package pgtest runs a PostgreSQL server of its own for tests: on a free port of
// the loopback interface, with its data in a temporary folder, as a user without
// rights, and flushing to disk as a real one does.
package pgtest

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // registers the driver "pgx"
)

// Required is the variable that makes a missing server a failure instead of a
// skipped test. CI sets it.
const Required = "PRIVET_POSTGRES_REQUIRED"

// ErrMissing says that PostgreSQL is not installed.
var ErrMissing = errors.New("PostgreSQL is not installed: no initdb and postgres on PATH or below /usr/lib/postgresql: on Debian, apt-get install postgresql")

// A Server runs until it is stopped.
type Server struct {
	Dir  string // of the data
	Port int

	top  string
	bin  string
	log  *os.File
	cmd  *exec.Cmd
	done chan error
	mu   sync.Mutex
	next int
}

// Start makes a cluster and starts its server.
func Start() (_ *Server, err error) {
	bin, err := find()
	if err != nil {
		return nil, err
	}
	top, err := os.MkdirTemp("", "pgtest")
	if err != nil {
		return nil, err
	}
	s := &Server{Dir: filepath.Join(top, "data"), top: top, bin: bin}
	defer func() {
		if err != nil {
			s.Stop()
		}
	}()
	if err := own(top); err != nil {
		return nil, err
	}
	// Nothing is worth flushing before there is data.
	initdb := exec.Command(filepath.Join(bin, "initdb"), "-D", s.Dir, "-U", "postgres", "--auth=trust", "--no-sync", "--encoding=UTF8", "--locale=C")
	initdb.Dir = top
	if err := lower(initdb); err != nil {
		return nil, err
	}
	if out, err := initdb.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("initdb: %w: %s", err, bytes.TrimSpace(out))
	}
	if s.log, err = os.Create(filepath.Join(top, "log")); err != nil {
		return nil, err
	}
	return s, s.Run()
}

// find gives the folder of the newest server.
func find() (string, error) {
	folders := filepath.SplitList(os.Getenv("PATH"))
	versions, _ := filepath.Glob("/usr/lib/postgresql/*/bin") // the pattern is good
	slices.SortFunc(versions, func(a, b string) int { return version(b) - version(a) })
	for _, dir := range append(folders, versions...) {
		if dir == "" || !filepath.IsAbs(dir) {
			continue
		}
		if _, err := os.Stat(filepath.Join(dir, "initdb")); err != nil {
			continue
		}
		if _, err := os.Stat(filepath.Join(dir, "postgres")); err == nil {
			return dir, nil
		}
	}
	return "", ErrMissing
}

func version(dir string) int {
	n, _ := strconv.Atoi(filepath.Base(filepath.Dir(dir))) // others come last
	return n
}

// Run starts a server that was killed, on the port that it had.
func (s *Server) Run() error {
	for range 5 { // somebody else may take the port in between
		port := s.Port
		if port == 0 {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				return err
			}
			port = l.Addr().(*net.TCPAddr).Port
			if err := l.Close(); err != nil {
				return err
			}
		}
		s.cmd = exec.Command(filepath.Join(s.bin, "postgres"), "-D", s.Dir, "-p", strconv.Itoa(port),
			"-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=", "-c", "max_connections=150",
			"-c", "shared_buffers=32MB", "-c", "fsync=on", "-c", "synchronous_commit=on", "-c", "logging_collector=off", "-c", "log_min_messages=warning")
		s.cmd.Dir, s.cmd.Stdout, s.cmd.Stderr = s.top, s.log, s.log
		if err := lower(s.cmd); err != nil {
			return err
		}
		if err := start(s.cmd); err != nil {
			return err
		}
		s.done = make(chan error, 1)
		go func(cmd *exec.Cmd, done chan error) { done <- cmd.Wait() }(s.cmd, s.done)
		if s.answers(port) {
			s.Port = port
			return nil
		}
	}
	text, _ := os.ReadFile(s.log.Name()) // as far as it can be read
	return fmt.Errorf("postgres did not start: %s", bytes.TrimSpace(text))
}

// answers waits until the server takes connections, and gives up when it ends.
func (s *Server) answers(port int) bool {
	db, err := sql.Open("pgx", s.dsn(port, "postgres", "postgres"))
	if err != nil {
		return false
	}
	defer func() { _ = db.Close() }()
	for range 1200 {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		err := db.PingContext(ctx)
		cancel()
		if err == nil {
			return true
		}
		select {
		case <-s.done:
			s.done <- nil
			return false
		case <-time.After(25 * time.Millisecond):
		}
	}
	return false
}

// Kill ends the server at once, as a loss of power would end it for its clients.
func (s *Server) Kill() {
	if s.cmd == nil || s.cmd.Process == nil {
		return
	}
	quit(s.cmd.Process)
	<-s.done
	s.cmd = nil
}

// Stop ends the server and removes its data.
func (s *Server) Stop() {
	s.Kill()
	if s.log != nil {
		_ = s.log.Close()
	}
	_ = os.RemoveAll(s.top)
}

// DSN names a database for a role.
func (s *Server) DSN(role, database string) string { return s.dsn(s.Port, role, database) }

func (s *Server) dsn(port int, role, database string) string {
	return fmt.Sprintf("postgres://%s@127.0.0.1:%d/%s?sslmode=disable", role, port, database)
}

// Place makes a new, empty schema and gives a connection string whose tables lie in
// it: much faster than a database for each test.
func (s *Server) Place(ctx context.Context) (string, error) {
	s.mu.Lock()
	s.next++
	name := "place" + strconv.Itoa(s.next)
	s.mu.Unlock()
	return s.DSN("postgres", "postgres") + "&search_path=" + name, s.Exec(ctx, "postgres", "CREATE SCHEMA "+name)
}

// Exec runs statements as the owner of the server.
func (s *Server) Exec(ctx context.Context, database string, statements ...string) error {
	db, err := sql.Open("pgx", s.DSN("postgres", database))
	if err != nil {
		return err
	}
	for _, text := range statements {
		if _, err := db.ExecContext(ctx, text); err != nil {
			return errors.Join(fmt.Errorf("%s: %w", strings.TrimSpace(text), err), db.Close())
		}
	}
	return db.Close()
}
