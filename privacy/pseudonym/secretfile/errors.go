package secretfile

import (
	"errors"
	"io/fs"
	"os"
)

var (
	// ErrKey reports a key that does not open the file, or text that is no key.
	ErrKey = errors.New("secretfile: key not usable")

	// ErrDamaged reports a file that is not whole or was changed by somebody
	// without the key.
	ErrDamaged = errors.New("secretfile: file damaged")

	// ErrRolledBack reports files that are older than what is known of them.
	ErrRolledBack = errors.New("secretfile: older than it was")

	// ErrPermissions reports a file that others may read or write.
	ErrPermissions = errors.New("secretfile: open to others")

	// ErrFormat reports a file of another format or of a later version of this one.
	ErrFormat = errors.New("secretfile: unknown format")

	// ErrExists reports that there is a store already where one shall be created.
	ErrExists = errors.New("secretfile: exists")

	// ErrArgument reports an argument that cannot be stored.
	ErrArgument = errors.New("secretfile: argument not usable")
)

// A FileError reports what is wrong with a file and how to mend it. It never contains
// anything of the content.
type FileError struct {
	Path    string
	Problem string
	Mend    string // may be empty
	Err     error  // one of the errors of this package, or the system's
}

func (e *FileError) Error() string {
	s := "secretfile: " + e.Path + ": " + e.Problem
	if e.Mend != "" {
		s += "; " + e.Mend
	}
	return s
}

// Unwrap returns the cause.
func (e *FileError) Unwrap() error { return e.Err }

// fileError makes an error of what the system said, without the path, which may be
// that of a temporary file.
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
	case errors.Is(err, fs.ErrNotExist):
		return &FileError{path, doing + ": there is no such file", "make one with Create, or with: privet keys init", err}
	case errors.Is(err, fs.ErrPermission):
		return &FileError{path, doing + ": permission denied", "", err}
	}
	return &FileError{path, doing + ": " + cause.Error(), "", err}
}

// argument reports a problem with what the caller passed.
type argument struct{ text string }

func (e *argument) Error() string { return ErrArgument.Error() + ": " + e.text }
func (e *argument) Unwrap() error { return ErrArgument }
