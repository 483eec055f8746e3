//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package filestore

import (
	"errors"
	"os"
	"syscall"
)

func (disk) lock(name string) (func(), error)    { return flock(name, syscall.LOCK_EX) }
func (disk) tryLock(name string) (func(), error) { return flock(name, syscall.LOCK_EX|syscall.LOCK_NB) }

// flock takes an advisory lock on a file of its own, which stays: were it removed, two
// programs could hold locks on two files of one name. The system gives the lock back
// when a program ends in whatever way.
func flock(name string, how int) (func(), error) {
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	for {
		err = syscall.Flock(int(f.Fd()), how)
		if !errors.Is(err, syscall.EINTR) {
			break
		}
	}
	if err != nil {
		f.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			err = errHeld
		}
		return nil, err
	}
	return func() { f.Close() }, nil
}

const permissionsCount = true
