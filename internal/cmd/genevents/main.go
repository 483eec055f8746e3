// Command genevents writes made-up events for `privet process`, one JSON object
// a line: field names that Windows uses, plausible values, free text with
// personal data in some, nobody's data in any. The same seed gives the same
// bytes; memory stays flat however many are asked for.
//
//	go run ./internal/cmd/genevents -n 1000000 -seed 1 > events.jsonl
package main

//go:generate go run . -n 240 -seed 1 -o ../../../examples/quickstart/testdata/events.jsonl

import (
	"bufio"
	"flag"
	"fmt"
	"io"
	"os"
)

func main() {
	n := flag.Int("n", 240, "number of events")
	seed := flag.Uint64("seed", 1, "seed: the same one gives the same events")
	out := flag.String("o", "", "file to write (default: standard output)")
	flag.Parse()
	if err := run(*n, *seed, *out); err != nil {
		fmt.Fprintln(os.Stderr, "genevents:", err)
		os.Exit(1)
	}
}

func run(n int, seed uint64, out string) error {
	if out == "" {
		return write(os.Stdout, n, seed)
	}
	file, err := os.Create(out)
	if err != nil {
		return err
	}
	if err := write(file, n, seed); err != nil {
		file.Close()
		return err
	}
	return file.Close()
}

// write makes n events, one a line.
func write(w io.Writer, n int, seed uint64) error {
	g, err := newGenerator(seed)
	if err != nil {
		return err
	}
	buffered := bufio.NewWriterSize(w, 1<<20)
	var line []byte
	for i := range n {
		line = append(g.append(line[:0], i+1), '\n')
		if _, err := buffered.Write(line); err != nil {
			return err
		}
	}
	return buffered.Flush()
}
