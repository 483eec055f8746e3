//go:build !unix

package pgtest

import (
	"os"
	"os/exec"
)

// Elsewhere the server runs as whoever runs the tests, and is ended outright.

func own(string) error          { return nil }
func lower(*exec.Cmd) error     { return nil }
func start(cmd *exec.Cmd) error { return cmd.Start() }
func quit(p *os.Process)        { _ = p.Kill() }
