package pgtest

import (
	"os/exec"
	"runtime"
	"syscall"
)

// start starts the server such that it ends with this process, however that ends.
// The system goes by the thread that started it, which therefore is kept.
func start(cmd *exec.Cmd) error {
	cmd.SysProcAttr.Pdeathsig = syscall.SIGQUIT
	started := make(chan error)
	go func() {
		runtime.LockOSThread()
		err := cmd.Start()
		started <- err
		if err == nil {
			select {} // the server's life hangs on this thread
		}
	}()
	return <-started
}
