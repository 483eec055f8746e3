//go:build unix

package pgtest

import (
	"errors"
	"os"
	"os/exec"
	"os/user"
	"strconv"
	"syscall"
)

// servant is the user that the server runs as: PostgreSQL refuses to run as root.
// nil: the one who runs the tests.
func servant() (*syscall.Credential, error) {
	if os.Getuid() != 0 {
		return nil, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, errU := strconv.ParseUint(u.Uid, 10, 32)
		gid, errG := strconv.ParseUint(u.Gid, 10, 32)
		if errU == nil && errG == nil {
			return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
		}
	}
	return nil, errors.New("running as root, and there is neither a user postgres nor nobody to run the server as")
}

// own gives a folder to the servant.
func own(dir string) error {
	c, err := servant()
	if err != nil || c == nil {
		return err
	}
	return os.Chown(dir, int(c.Uid), int(c.Gid))
}

func lower(cmd *exec.Cmd) error {
	c, err := servant()
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: c}
	return err
}

// quit asks for an immediate end: the server does not tidy up, and recovers from
// its log when it is started again.
func quit(p *os.Process) { _ = p.Signal(syscall.SIGQUIT) }
