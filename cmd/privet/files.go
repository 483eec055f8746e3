package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"unicode/utf8"
)

// An input is a stream of lines: a file or standard input.
type input struct {
	io.Reader
	name string // as the user wrote it
	head []byte // what was read to look at the format
	size int64  // 0 if unknown
	file *os.File
}

func (in *input) Close() {
	if in.file != nil && in.file != os.Stdin {
		in.file.Close()
	}
}

// sniffed is how much of an input is looked at to tell its format.
const sniffed = 64 << 10

// openInput opens a file, or standard input for "-". Something that is no stream
// of JSON objects gets an answer of its own, before any work.
func openInput(path string, e *env) (*input, error) {
	in := &input{Reader: e.stdin, name: "standard input"}
	if path == "-" && e.typed {
		fmt.Fprintln(e.stderr, "privet: reading from the keyboard, one JSON object a line; end with Ctrl-D, or see --help")
	}
	if path != "-" {
		if err := regularFile("input", path, "name a file in it, or join them: cat "+filepath.Join(path, "*.jsonl")+" | privet …"); err != nil {
			return nil, err
		}
		file, err := os.Open(path)
		if err != nil {
			return nil, fmt.Errorf("cannot read the input %s: %s", path, fileProblem(err))
		}
		in.Reader, in.name, in.file = file, path, file
	} else if file, ok := e.stdin.(*os.File); ok {
		in.file = file
	}
	if in.file != nil {
		if info, err := in.file.Stat(); err == nil && info.Mode().IsRegular() {
			in.size = info.Size()
		}
	}
	head := make([]byte, sniffed)
	// One read is enough: a file fills it, and a slow stream must not wait for
	// more than its first lines.
	n, err := in.Read(head)
	for n == 0 && err == nil {
		n, err = in.Read(head)
	}
	if err != nil && !errors.Is(err, io.EOF) {
		in.Close()
		return nil, fmt.Errorf("cannot read the input %s: %s", in.name, fileProblem(err))
	}
	in.head = head[:n]
	if problem, mend := foreign(in.head); problem != "" {
		in.Close()
		if path == "-" {
			path = "FILE"
		}
		return nil, mended(in.name+": "+problem, strings.ReplaceAll(mend, "FILE", path))
	}
	return in, nil
}

// magics are the first bytes of formats that people hand over by mistake.
var magics = []struct{ magic, name, mend string }{
	{"\x1f\x8b", "compressed with gzip", "unpack it on the way: zcat FILE | privet …"},
	{"\x28\xb5\x2f\xfd", "compressed with zstd", "unpack it on the way: zstdcat FILE | privet …"},
	{"BZh", "compressed with bzip2", "unpack it on the way: bzcat FILE | privet …"},
	{"\xfd7zXZ", "compressed with xz", "unpack it on the way: xzcat FILE | privet …"},
	{"PK\x03\x04", "a zip archive, or an office document", "unpack or export it as JSON lines"},
	{"PAR1", "a Parquet file", "export it as JSON lines"},
	{"SQLite format 3", "an SQLite database", "export it as JSON lines"},
	{"%PDF", "a PDF document", "events come as JSON lines"},
	{"\xff\xfe", "written in UTF-16", "convert it: iconv -f UTF-16 -t UTF-8 FILE | privet …"},
	{"\xfe\xff", "written in UTF-16", "convert it: iconv -f UTF-16 -t UTF-8 FILE | privet …"},
}

const wanted = "one JSON object a line is wanted"

// foreign says what an input is when it is plainly not JSON lines: judged by its
// first lines, and only when none of them begins like an object. A file with a
// broken line or two is JSON lines all the same.
func foreign(head []byte) (problem, mend string) {
	for _, m := range magics {
		if bytes.HasPrefix(head, []byte(m.magic)) {
			return m.name + "; " + wanted, m.mend
		}
	}
	head = bytes.TrimPrefix(head, byteOrderMark)
	if bytes.IndexByte(head, 0) >= 0 {
		return "a binary file; " + wanted, "is it the right file?"
	}
	var first []byte
	lines, objects, separators := 0, 0, 0
	for line := range bytes.Lines(head) {
		line = bytes.TrimSpace(line)
		if len(line) == 0 {
			continue
		}
		if lines++; lines == 1 {
			first = line
		}
		if line[0] == '{' && len(line) > 1 {
			objects++
		}
		if bytes.ContainsAny(line, ",;\t") {
			separators++
		}
	}
	const jq = "convert it: jq -c . FILE | privet …"
	switch {
	case lines == 0:
		return "", ""
	case first[0] == '[' && (len(first) == 1 || lines == 1 || objects == 0 || first[len(first)-1] == ','):
		return "a JSON array; " + wanted, "convert it: jq -c '.[]' FILE | privet …"
	case len(first) == 1 && first[0] == '{':
		return "a JSON document spread over lines; " + wanted, jq
	case objects > 0 || first[0] == '{':
		return "", ""
	case !utf8.Valid(first):
		return "not text in UTF-8; " + wanted, "is it the right file?"
	case separators == lines && lines > 1:
		return "a table, such as CSV; " + wanted, `convert it: python3 -c 'import csv,json,sys; [print(json.dumps({"purpose":"PURPOSE","at":"2026-03-28T10:00:00Z","fields":r})) for r in csv.DictReader(sys.stdin)]' < FILE | privet …`
	}
	if lines > 1 {
		return "not JSON; " + wanted, "is it the right file?"
	}
	return "", ""
}

// An output is where results go. A file appears whole under its name, or not at
// all: what is written goes to a file beside it that is renamed at the end.
type output struct {
	io.Writer
	file   *os.File
	target string // empty: written directly
}

// openOutput opens a file, or standard output for "-".
func openOutput(path string, stdout io.Writer, in *input) (*output, error) {
	if path == "-" {
		return &output{Writer: stdout}, nil
	}
	target := path
	if resolved, err := filepath.EvalSymlinks(path); err == nil {
		target = resolved
	}
	info, err := os.Stat(target)
	switch {
	case err == nil && info.IsDir():
		return nil, mended("output: "+path+" is a folder", "name a file in it")
	case err == nil && !info.Mode().IsRegular():
		// A device or pipe is no file that could be replaced.
		file, err := os.OpenFile(target, os.O_WRONLY, 0)
		if err != nil {
			return nil, fmt.Errorf("cannot write the output %s: %s", path, fileProblem(err))
		}
		return &output{Writer: file, file: file}, nil
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("cannot write the output %s: %s", path, fileProblem(err))
	}
	if err == nil && in != nil && in.file != nil {
		if mine, err := in.file.Stat(); err == nil && os.SameFile(mine, info) {
			return nil, mended("output: "+path+" is the input", "name another file")
		}
	}
	mode := fs.FileMode(0o666) // less the user's mask
	if info != nil {
		mode = info.Mode().Perm()
	}
	for range 100 {
		name := filepath.Join(filepath.Dir(target), "."+filepath.Base(target)+"."+strconv.FormatUint(rand.Uint64(), 36)+".tmp")
		file, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
		if errors.Is(err, fs.ErrExist) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("cannot write the output %s: %s", path, fileProblem(err))
		}
		return &output{Writer: file, file: file, target: target}, nil
	}
	return nil, fmt.Errorf("cannot write the output %s: no free name for a temporary file", path)
}

// commit puts what was written under its name.
func (o *output) commit() error {
	if o.file == nil {
		return nil
	}
	file := o.file
	o.file = nil
	err := file.Close()
	if o.target == "" {
		return err
	}
	if err == nil {
		err = os.Rename(file.Name(), o.target)
	}
	if err != nil {
		os.Remove(file.Name())
		return &writeError{err}
	}
	return nil
}

// abandon takes back what was not committed.
func (o *output) abandon() {
	if o.file == nil {
		return
	}
	o.file.Close()
	if o.target != "" {
		os.Remove(o.file.Name())
	}
	o.file = nil
}

// writeWhole writes a file at once, or not at all.
func writeWhole(path string, data []byte, stdout io.Writer) error {
	out, err := openOutput(path, stdout, nil)
	if err != nil {
		return err
	}
	defer out.abandon()
	if _, err := out.Write(data); err != nil {
		return &writeError{err}
	}
	return out.commit()
}

// readHead reads up to n bytes from the beginning of a file.
func readHead(path string, n int64) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return io.ReadAll(io.LimitReader(file, n))
}
