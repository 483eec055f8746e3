package main

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
)

// copies is the folder of redacted copies. Nothing is written outside of it, not
// even through links that lie in it.
type copies struct{ root *os.Root }

// openCopies makes the folder, unless it and what is scanned lie in each other: then
// a copy could replace what it was made from, or be scanned itself.
func openCopies(folder string, roots []scanRoot) (*copies, error) {
	names := map[string]string{}
	for _, r := range roots {
		name := filepath.Base(r.absolute)
		if other, ok := names[name]; ok {
			return nil, mended("the copies of "+shown(other)+" and "+shown(r.path)+" would have one name", "scan them one after the other, each with an --output of its own")
		}
		names[name] = r.path
	}
	home := real(folder)
	for _, r := range roots {
		if source := real(r.path); below(source, home) || below(home, source) {
			return nil, mended("--output "+folder+" and "+shown(r.path)+" lie in each other", "name a folder elsewhere: files are never changed in place")
		}
	}
	fail := func(err error) error {
		return fmt.Errorf("cannot write the folder %s: %s", folder, fileProblem(err))
	}
	if err := os.MkdirAll(folder, 0o777); err != nil { // less the user's mask
		return nil, fail(err)
	}
	root, err := os.OpenRoot(folder)
	if err != nil {
		return nil, fail(err)
	}
	return &copies{root}, nil
}

// real is where a path leads once links are followed, as far as it exists.
func real(path string) string {
	path, err := filepath.Abs(path)
	if err != nil {
		return path
	}
	for rest := ""; ; {
		if found, err := filepath.EvalSymlinks(path); err == nil {
			return filepath.Join(found, rest)
		}
		parent := filepath.Dir(path)
		if parent == path {
			return filepath.Join(path, rest)
		}
		path, rest = parent, filepath.Join(filepath.Base(path), rest)
	}
}

func (c *copies) close() { c.root.Close() }

// A copied file appears whole under its name, or not at all.
type copied struct {
	root      *os.Root
	file      *os.File
	w         *bufio.Writer
	temporary string
	target    string
}

func (c *copies) create(target string, mode fs.FileMode) (*copied, error) {
	folder, name := filepath.Split(target)
	if folder != "" {
		if err := c.root.MkdirAll(filepath.Clean(folder), 0o777); err != nil {
			return nil, err
		}
	}
	for range 100 {
		temporary := filepath.Join(folder, "."+strconv.FormatUint(rand.Uint64(), 36)+".tmp")
		// The owner may write, also where the original is read-only.
		file, err := c.root.OpenFile(temporary, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode|0o200)
		if errors.Is(err, fs.ErrExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		return &copied{c.root, file, bufio.NewWriterSize(file, 64<<10), temporary, filepath.Join(folder, name)}, nil
	}
	return nil, errors.New("no free name for a temporary file")
}

func (c *copied) write(b []byte) error {
	if _, err := c.w.Write(b); err != nil {
		return &writeError{err}
	}
	return nil
}

func (c *copied) commit() error {
	err := c.w.Flush()
	if e := c.file.Close(); err == nil {
		err = e
	}
	c.file = nil
	if err == nil {
		err = c.root.Rename(c.temporary, c.target)
	}
	if err != nil {
		_ = c.root.Remove(c.temporary)
	}
	return err
}

// abandon takes back what was not committed.
func (c *copied) abandon() {
	if c.file != nil {
		c.file.Close()
		c.file = nil
		_ = c.root.Remove(c.temporary)
	}
}
