package filestore

import (
	"errors"
	"os"
	"syscall"
	"unsafe"
)

var lockFileEx = syscall.NewLazyDLL("kernel32.dll").NewProc("LockFileEx")

const (
	failImmediately = 1
	exclusive       = 2

	errorLockViolation = syscall.Errno(33)
)

func (disk) lock(name string) (func(), error)    { return lockFile(name, exclusive) }
func (disk) tryLock(name string) (func(), error) { return lockFile(name, exclusive|failImmediately) }

// lockFile takes an exclusive lock on the first byte of a file of its own, which
// stays. The system gives it back when the file is closed or the program ends.
func lockFile(name string, how uintptr) (func(), error) {
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	var at syscall.Overlapped
	if ok, _, err := lockFileEx.Call(f.Fd(), how, 0, 1, 0, uintptr(unsafe.Pointer(&at))); ok == 0 {
		f.Close()
		if errors.Is(err, errorLockViolation) {
			err = errHeld
		}
		return nil, err
	}
	return func() { f.Close() }, nil
}

// Access is told by lists there, of which the permission bits show nothing.
const permissionsCount = false
