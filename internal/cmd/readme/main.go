// Command readme keeps README.md true. A fenced block below a comment
//
//	<!-- file: path -->
//
// must be what the file says (or a run of its lines, when the path ends with
// #part), and the commands of a block below
//
//	<!-- run -->
//
// are run in order, at the root of the repository, by
//
//	go run ./internal/cmd/readme
//
// A line that begins with "$ " is a command; the lines after it must come out of
// it in that order, where "…" stands for anything.
package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

func main() {
	if err := run("."); err != nil {
		fmt.Fprintln(os.Stderr, "readme:", err)
		os.Exit(1)
	}
}

// run checks the README of the repository at root and runs its commands.
func run(root string) error {
	text, err := os.ReadFile(filepath.Join(root, "README.md"))
	if err != nil {
		return err
	}
	blocks, err := parse(string(text))
	if err != nil {
		return err
	}
	if err := checkFiles(root, blocks); err != nil {
		return err
	}
	commands := 0
	for _, b := range blocks {
		if b.kind != "run" {
			continue
		}
		for _, c := range sessions(b.text) {
			commands++
			begin := time.Now()
			out, err := shell(root, c.command)
			fmt.Printf("$ %s\n%s(%.1f s)\n", c.command, tail(out), time.Since(begin).Seconds())
			if err != nil {
				return fmt.Errorf("line %d: the command %q failed: %w", b.line, c.command, err)
			}
			if missing := missing(out, c.want); missing != "" {
				return fmt.Errorf("line %d: the command %q no longer prints %q", b.line, c.command, missing)
			}
		}
	}
	if commands == 0 {
		return errors.New("README.md has no command to run below <!-- run -->")
	}
	return nil
}

// A block is a fenced block with a comment above that says what to do with it.
type block struct {
	kind string // "file" or "run"
	path string // of a file
	line int    // of the fence
	text string
}

// parse finds the marked blocks of a README.
func parse(readme string) ([]block, error) {
	var blocks []block
	lines := strings.Split(readme, "\n")
	for i := 0; i < len(lines); i++ {
		mark, ok := strings.CutPrefix(strings.TrimSpace(lines[i]), "<!-- ")
		if !ok {
			continue
		}
		mark = strings.TrimSpace(strings.TrimSuffix(mark, "-->"))
		b := block{}
		if path, ok := strings.CutPrefix(mark, "file: "); ok {
			b.kind, b.path = "file", path
		} else if mark == "run" {
			b.kind = "run"
		} else {
			continue
		}
		i++
		if i >= len(lines) || !strings.HasPrefix(lines[i], "```") {
			return nil, fmt.Errorf("line %d: no fenced block follows <!-- %s -->", i, mark)
		}
		b.line = i + 1
		end := i + 1
		for end < len(lines) && !strings.HasPrefix(lines[end], "```") {
			end++
		}
		if end == len(lines) {
			return nil, fmt.Errorf("line %d: the fenced block has no end", b.line)
		}
		b.text = strings.Join(lines[i+1:end], "\n")
		blocks = append(blocks, b)
		i = end
	}
	return blocks, nil
}

// checkFiles compares every block that shows a file with that file.
func checkFiles(root string, blocks []block) error {
	files := 0
	for _, b := range blocks {
		if b.kind != "file" {
			continue
		}
		files++
		if err := checkFile(root, b); err != nil {
			return err
		}
	}
	if files == 0 {
		return errors.New("README.md shows no file below <!-- file: … -->")
	}
	return nil
}

// checkFile compares a block with a whole file, or, when the path ends with
// "#part", with any run of the file's lines: indentation may differ by what all
// lines of the run share.
func checkFile(root string, b block) error {
	path, part := strings.CutSuffix(b.path, "#part")
	text, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(path)))
	if err != nil {
		return fmt.Errorf("line %d: %w", b.line, err)
	}
	want, have := strings.TrimSpace(b.text), strings.TrimSpace(string(text))
	if !part && want == have {
		return nil
	}
	if part && want != "" && containsRun(strings.Split(have, "\n"), strings.Split(want, "\n")) {
		return nil
	}
	return fmt.Errorf("line %d: the block differs from %s; copy the file into README.md", b.line, path)
}

func containsRun(lines, run []string) bool {
	for i := 0; i+len(run) <= len(lines); i++ {
		indent, ok := strings.CutSuffix(lines[i], run[0])
		if !ok || strings.TrimSpace(indent) != "" {
			continue
		}
		equal := true
		for j, want := range run {
			if want != "" {
				want = indent + want
			}
			if strings.TrimRight(lines[i+j], " \t") != want {
				equal = false
				break
			}
		}
		if equal {
			return true
		}
	}
	return false
}

// A session is a command and the lines that it must print.
type session struct {
	command string
	want    []string
}

func sessions(text string) []session {
	var all []session
	for line := range strings.SplitSeq(text, "\n") {
		if command, ok := strings.CutPrefix(line, "$ "); ok {
			all = append(all, session{command: command})
		} else if len(all) > 0 && strings.TrimSpace(line) != "" {
			last := &all[len(all)-1]
			last.want = append(last.want, line)
		}
	}
	return all
}

// shell runs a command line as a reader of the README would.
func shell(root, command string) (string, error) {
	c := exec.Command("bash", "-o", "pipefail", "-c", command)
	c.Dir = root
	out, err := c.CombinedOutput()
	return string(out), err
}

// missing is the first wanted line that does not come out after the ones before
// it, or "".
func missing(out string, want []string) string {
	lines := strings.Split(out, "\n")
	for _, w := range want {
		found := -1
		for i, line := range lines {
			if matches(strings.TrimSpace(line), strings.TrimSpace(w)) {
				found = i
				break
			}
		}
		if found < 0 {
			return w
		}
		lines = lines[found+1:]
	}
	return ""
}

// matches compares a line with a pattern in which "…" stands for anything.
func matches(line, pattern string) bool {
	parts := strings.Split(pattern, "…")
	rest, ok := strings.CutPrefix(line, parts[0])
	if !ok {
		return false
	}
	if len(parts) == 1 {
		return rest == ""
	}
	for _, part := range parts[1 : len(parts)-1] {
		i := strings.Index(rest, part)
		if i < 0 {
			return false
		}
		rest = rest[i+len(part):]
	}
	return strings.HasSuffix(rest, parts[len(parts)-1])
}

// tail keeps the last lines of a long output.
func tail(out string) string {
	const keep = 30
	lines := strings.SplitAfter(out, "\n")
	if len(lines) > keep {
		lines = append([]string{"[…]\n"}, lines[len(lines)-keep:]...)
	}
	return strings.Join(lines, "")
}
