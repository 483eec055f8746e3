//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package secretfile

import (
	"errors"
	"os"
	"syscall"
)

// lock takes an advisory lock on a file of its own, which stays: were it removed, two
// programs could hold locks on two files of one name. The system gives the lock back
// when a program ends in whatever way.
func (disk) lock(name string) (func(), error) {
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	for {
		err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX)
		if !errors.Is(err, syscall.EINTR) {
			break
		}
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return func() { f.Close() }, nil
}

// A rename never disturbs who reads the old file.
func (disk) lockToRead(string) (func(), error) { return func() {}, nil }

const permissionsCount = true
