//go:build !(darwin || dragonfly || freebsd || linux || netbsd || openbsd || windows)

package secretfile

import "errors"

// Without a lock two programs could overwrite each other's secrets, so nothing is
// written here; files can be read.
func (disk) lock(string) (func(), error) { return nil, errors.ErrUnsupported }

func (disk) lockToRead(string) (func(), error) { return func() {}, nil }

const permissionsCount = false
