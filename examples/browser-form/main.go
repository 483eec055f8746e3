// Command browser-form serves a page that labels the fields of a form while one types:
//
//	go run ./examples/browser-form
//
// The policy is compiled to a WebAssembly module when the program starts. The browser
// loads it once; what is typed stays in the page.
package main

import (
	"bytes"
	"compress/gzip"
	"embed"
	"flag"
	"fmt"
	"io/fs"
	"log"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/privetdev/privet/privacy/policy"
	"github.com/privetdev/privet/wasm/emit"
	"github.com/privetdev/privet/wasm/js"
)

//go:embed static policy.yaml
var files embed.FS

func main() {
	address := flag.String("listen", "localhost:8080", "where to listen; port 0 takes one that is free")
	path := flag.String("policy", "", "a policy of your own in place of the example's")
	flag.Parse()
	text, err := files.ReadFile("policy.yaml")
	if *path != "" {
		text, err = os.ReadFile(*path)
	}
	if err != nil {
		log.Fatal(err)
	}
	site, size, err := handler(text)
	if err != nil {
		log.Fatal(err)
	}
	listener, err := net.Listen("tcp", *address)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("a module of %d kB; open http://%s\n", (size+999)/1000, listener.Addr())
	server := &http.Server{Handler: site, ReadHeaderTimeout: 5 * time.Second}
	log.Fatal(server.Serve(listener))
}

// handler compiles a policy and serves the page with it. It tells the size of the module.
func handler(text []byte) (http.Handler, int, error) {
	bundle, err := policy.Compile("policy.yaml", text)
	if err != nil {
		return nil, 0, err
	}
	module, err := emit.Module(bundle.Bytes(), emit.Options{MaxInput: 1 << 20, Titles: true})
	if err != nil {
		return nil, 0, err
	}
	static, err := fs.Sub(files, "static")
	if err != nil {
		return nil, 0, err
	}
	mux := http.NewServeMux()
	mux.Handle("GET /", http.FileServerFS(static))
	var packed bytes.Buffer
	zip, err := gzip.NewWriterLevel(&packed, gzip.BestCompression)
	if err != nil {
		return nil, 0, err
	}
	if _, err := zip.Write(module); err != nil {
		return nil, 0, err
	}
	if err := zip.Close(); err != nil {
		return nil, 0, err
	}
	mux.HandleFunc("GET /policy.wasm", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/wasm")
		w.Header().Set("Vary", "Accept-Encoding")
		if !strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
			_, _ = w.Write(module)
			return
		}
		w.Header().Set("Content-Encoding", "gzip")
		_, _ = w.Write(packed.Bytes())
	})
	mux.HandleFunc("GET /classifier.js", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/javascript; charset=utf-8")
		_, _ = w.Write([]byte(js.Classifier()))
	})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// The page may load its own files and run the module; it can send nothing to
		// anybody else.
		w.Header().Set("Content-Security-Policy", "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src data:; connect-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		w.Header().Set("Cache-Control", "no-cache")
		mux.ServeHTTP(w, r)
	}), len(module), nil
}
