package secretfile

import (
	"os"
	"syscall"
	"unsafe"
)

var lockFileEx = syscall.NewLazyDLL("kernel32.dll").NewProc("LockFileEx")

// lock takes an exclusive lock on the first byte of a file of its own, which stays.
// The system gives it back when the file is closed or the program ends.
func (disk) lock(name string) (func(), error) {
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	const exclusive = 2
	var at syscall.Overlapped
	if ok, _, err := lockFileEx.Call(f.Fd(), exclusive, 0, 1, 0, uintptr(unsafe.Pointer(&at))); ok == 0 {
		f.Close()
		return nil, err
	}
	return func() { f.Close() }, nil
}

// A file that somebody reads cannot be replaced, so readers wait as writers do.
func (d disk) lockToRead(name string) (func(), error) { return d.lock(name) }

// Access is told by lists there, of which the permission bits show nothing.
const permissionsCount = false
