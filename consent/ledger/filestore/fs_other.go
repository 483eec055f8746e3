//go:build !(darwin || dragonfly || freebsd || linux || netbsd || openbsd || windows)

package filestore

import "errors"

// Without a lock two programs could fork a log, so nothing is written here; logs can
// be read.
func (disk) lock(string) (func(), error)    { return nil, errors.ErrUnsupported }
func (disk) tryLock(string) (func(), error) { return nil, errors.ErrUnsupported }

const permissionsCount = false
