//go:build unix && !linux

package pgtest

import "os/exec"

func start(cmd *exec.Cmd) error { return cmd.Start() }
