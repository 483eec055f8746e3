package filestore

import (
	"io"
	"os"
	"path/filepath"
	"runtime"
)

// A fileSystem is what the store needs of one. Tests stand in one that loses what was
// not synced.
type fileSystem interface {
	// mkdir makes a folder, and those above it, unless they are there.
	mkdir(name string) error
	list(folder string) ([]string, error)
	open(name string, write bool) (file, error)
	// create makes a file that only its owner reads, under a name that is not taken.
	create(name string) (file, error)
	rename(from, to string) error
	remove(name string) error
	// syncDir makes the names in the folder of name durable.
	syncDir(name string) error
	// private reports whether only its owner can read a file, as far as that can be
	// told here.
	private(name string) (bool, error)
	// lock waits for the lock of a file, which one program has at a time.
	lock(name string) (unlock func(), err error)
	// tryLock is lock, or errHeld at once.
	tryLock(name string) (unlock func(), err error)
}

// A file is read and written in any place. Several programs may have it open.
type file interface {
	io.ReaderAt
	io.WriterAt
	io.Closer
	Truncate(size int64) error
	Sync() error
	Size() (int64, error)
}

type constError string

func (e constError) Error() string { return string(e) }

const (
	errHeld       = constError("another program has the lock")
	errNotRegular = constError("it is no file of the usual kind")
)

// disk is the file system of the machine.
type disk struct{}

type diskFile struct{ *os.File }

func (f diskFile) Size() (int64, error) {
	info, err := f.Stat()
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}

func (disk) mkdir(name string) error { return os.MkdirAll(name, 0o700) }

func (disk) list(folder string) ([]string, error) {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return nil, err
	}
	names := make([]string, len(entries))
	for i, e := range entries {
		names[i] = e.Name()
	}
	return names, nil
}

func (disk) open(name string, write bool) (file, error) {
	flag := os.O_RDONLY
	if write {
		flag = os.O_RDWR
	}
	// Opening a pipe would wait for somebody at its other end.
	if info, err := os.Stat(name); err == nil && !info.Mode().IsRegular() {
		return nil, &os.PathError{Op: "open", Path: name, Err: errNotRegular}
	}
	f, err := os.OpenFile(name, flag, 0)
	if err != nil {
		return nil, err // not f, which would be a nil pointer in an interface
	}
	return diskFile{f}, nil
}

func (disk) create(name string) (file, error) {
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, err
	}
	return diskFile{f}, nil
}

func (disk) rename(from, to string) error { return os.Rename(from, to) }
func (disk) remove(name string) error     { return os.Remove(name) }

func (disk) syncDir(name string) error {
	if runtime.GOOS == "windows" {
		return nil // folders cannot be opened there; names are written through
	}
	d, err := os.Open(filepath.Dir(name))
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}

func (disk) private(name string) (bool, error) {
	info, err := os.Stat(name)
	if err != nil {
		return false, err
	}
	return !permissionsCount || info.Mode().Perm()&0o077 == 0, nil
}
