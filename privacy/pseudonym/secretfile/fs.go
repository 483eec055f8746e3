package secretfile

import (
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
)

// A fileSystem is what a store needs of one. Tests stand in one that loses what was
// not synced.
type fileSystem interface {
	// read returns at most limit bytes of a file, and its permissions.
	read(name string, limit int64) ([]byte, fs.FileMode, error)
	// create makes a file that only its owner reads, under a name that is not taken.
	create(name string) (file, error)
	rename(from, to string) error
	remove(name string) error
	// syncDir makes the names in the folder of name durable.
	syncDir(name string) error
	// lock waits for the lock of a file, which one program has at a time.
	lock(name string) (unlock func(), err error)
	// lockToRead is lock where readers need it, and nothing elsewhere.
	lockToRead(name string) (unlock func(), err error)
}

type file interface {
	io.WriteCloser
	Sync() error
}

// disk is the file system of the machine.
type disk struct{}

func (disk) read(name string, limit int64) ([]byte, fs.FileMode, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, 0, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, 0, err
	}
	if !info.Mode().IsRegular() {
		return nil, 0, &fs.PathError{Op: "read", Path: name, Err: errNotRegular}
	}
	data, err := io.ReadAll(io.LimitReader(f, limit))
	return data, info.Mode(), err
}

func (disk) create(name string) (file, error) {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, err // not f, which would be a nil pointer in an interface
	}
	return f, nil
}

func (disk) rename(from, to string) error { return os.Rename(from, to) }
func (disk) remove(name string) error     { return os.Remove(name) }

func (disk) syncDir(name string) error {
	if runtime.GOOS == "windows" {
		return nil // folders cannot be opened there; a rename is written through
	}
	d, err := os.Open(filepath.Dir(name))
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}

type constError string

func (e constError) Error() string { return string(e) }

const errNotRegular = constError("it is no file of the usual kind")
