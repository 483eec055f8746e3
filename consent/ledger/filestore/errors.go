package filestore

import (
	"errors"
	"io/fs"
	"os"
	"strconv"

	"github.com/privetdev/privet/consent/ledger"
)

var (
	// ErrDamaged reports files that are not what was written: a changed byte, a cut
	// end, a segment that is missing, swapped, or of another log, an older head.
	ErrDamaged = errors.New("filestore: damaged")

	// ErrLocked reports that another program writes the log, or this one does already.
	ErrLocked = errors.New("filestore: another writer has the log open")

	// ErrFormat reports a file of another format or of a later version of this one.
	ErrFormat = errors.New("filestore: unknown format")

	// ErrPermissions reports a file of keys that others may read or write.
	ErrPermissions = errors.New("filestore: open to others")

	// ErrFull reports that the log has as many entries as it can hold, 4,294,967,295.
	ErrFull = errors.New("filestore: the log is full")
)

// A FileError reports what is wrong with a file, where, and how to mend it. It never
// contains anything of an entry, a subject or a key.
type FileError struct {
	Path    string
	Offset  int64  // in bytes; -1: the file as a whole
	Seq     uint64 // of the entry; 0: none in particular
	Problem string
	Mend    string // may be empty
	Err     error  // one of the errors of this package or of package ledger, or the system's
}

func (e *FileError) Error() string {
	s := "filestore: " + e.Path + ": "
	if e.Offset >= 0 {
		s += "byte " + strconv.FormatInt(e.Offset, 10) + ": "
	}
	if e.Seq > 0 {
		s += "entry " + strconv.FormatUint(e.Seq, 10) + ": "
	}
	s += e.Problem
	if e.Mend != "" {
		s += "; " + e.Mend
	}
	return s
}

// Unwrap returns the cause.
func (e *FileError) Unwrap() error { return e.Err }

const mendDamage = "put back a whole copy of the folder, and keep this one: what it holds beyond the copy may be saved from it"

func damaged(path string, offset int64, seq uint64, problem string) error {
	return &FileError{path, offset, seq, problem, mendDamage, ErrDamaged}
}

// fileError makes an error of what the system said.
func fileError(path, doing string, err error) error {
	cause := err
	var p *fs.PathError
	var l *os.LinkError
	switch {
	case errors.As(err, &p):
		cause = p.Err
	case errors.As(err, &l):
		cause = l.Err
	}
	switch {
	case errors.Is(err, fs.ErrClosed):
		return ledger.ErrClosed
	case errors.Is(err, fs.ErrNotExist):
		return &FileError{path, -1, 0, doing + ": there is no such file", "", err}
	case errors.Is(err, fs.ErrPermission):
		return &FileError{path, -1, 0, doing + ": permission denied", "", err}
	}
	return &FileError{path, -1, 0, doing + ": " + cause.Error(), "", err}
}

// unknown says that entries may have been recorded or not.
func unknown(path, doing string, err error) error {
	return &FileError{path, -1, 0, doing + ": " + ledger.ErrUnknown.Error(), "the log can be read; open it again to write", errors.Join(ledger.ErrUnknown, err)}
}
