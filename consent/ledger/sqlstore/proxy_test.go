package sqlstore_test

import (
	"bytes"
	"encoding/binary"
	"io"
	"net"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// A cut says where a proxy cuts a connection.
type cut uint8

const (
	before   cut = iota // the message does not reach the server
	after               // the server gets the message, and nobody to answer
	answered            // the server has answered, but the answer does not come back
)

func (c cut) String() string { return [...]string{"before", "after", "answered"}[c] }

// A proxy stands between a store and PostgreSQL and cuts the connection at one
// message of the client.
type proxy struct {
	listener net.Listener
	target   string

	mu     sync.Mutex
	conns  map[net.Conn]bool
	armed  bool
	at     int // messages until the cut
	where  cut
	down   bool // refuse connections after the cut
	silent bool // do not cut, but let nothing through any more; the server hears of no end
	seen   int  // messages since it was armed
	fell   bool // the cut was made
	commit bool // COMMIT was the message, or went through before it
	wait   sync.WaitGroup
	over   chan struct{} // the test is
}

func newProxy(t testing.TB, target string) *proxy {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	p := &proxy{listener: l, target: target, conns: make(map[net.Conn]bool), over: make(chan struct{})}
	p.wait.Go(p.accept)
	t.Cleanup(func() {
		_ = l.Close()
		close(p.over)
		p.closeAll()
		p.wait.Wait()
	})
	return p
}

// arm makes the proxy cut at the at-th message from now on.
func (p *proxy) arm(at int, where cut, down bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.armed, p.at, p.where, p.down, p.seen, p.fell, p.commit = true, at, where, down, 0, false, false
}

// fall lets a connection fall at its message.
func (p *proxy) fall() {
	if p.silent {
		<-p.over
		return
	}
	p.closeAll()
}

// disarm lets everything through again and reports whether the cut was made, and
// whether COMMIT was under way by then.
func (p *proxy) disarm() (fell, commit bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.armed, p.down = false, false
	return p.fell, p.commit
}

func (p *proxy) accept() {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return
		}
		p.mu.Lock()
		refuse := p.fell && p.down
		p.mu.Unlock()
		server, err := net.Dial("tcp", p.target)
		if refuse || err != nil {
			_ = client.Close()
			if err == nil {
				_ = server.Close()
			}
			continue
		}
		p.mu.Lock()
		p.conns[client], p.conns[server] = true, true
		p.mu.Unlock()
		quiet := make(chan struct{}) // closed: the client hears nothing more
		ready := make(chan struct{}, 1000)
		p.wait.Go(func() { p.forward(client, server, quiet, ready) })
		p.wait.Go(func() { p.back(client, server, quiet, ready) })
	}
}

func (p *proxy) closeAll() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for c := range p.conns {
		_ = c.Close()
	}
	clear(p.conns)
}

// forward passes the client's messages on, one by one (PostgreSQL's manual, chapter
// "Message Formats": a type, except for the first message, and a length).
func (p *proxy) forward(client, server net.Conn, quiet, ready chan struct{}) {
	defer client.Close()
	defer server.Close()
	for first := true; ; first = false {
		head := make([]byte, 5)
		if first {
			head = head[:4]
		}
		if _, err := io.ReadFull(client, head); err != nil {
			return
		}
		message := make([]byte, binary.BigEndian.Uint32(head[len(head)-4:])-4)
		if _, err := io.ReadFull(client, message); err != nil {
			return
		}
		where, falls := cut(0), false
		if !first {
			where, falls = p.falls(head[0], message)
		}
		if falls && where == before {
			if p.silent {
				close(quiet)
			}
			p.fall()
			return
		}
		if falls && where == answered {
			close(quiet)
			for len(ready) > 0 { // of earlier answers
				<-ready
			}
		}
		if _, err := server.Write(append(head, message...)); err != nil {
			return
		}
		if falls {
			if where == answered {
				<-ready
			}
			p.fall()
			return
		}
	}
}

// falls counts a message and says whether to cut at it.
func (p *proxy) falls(kind byte, message []byte) (cut, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.armed || p.fell {
		return 0, false
	}
	if p.where == answered && kind != 'Q' && kind != 'S' { // only a query or a sync is answered
		return 0, false
	}
	if bytes.Contains(message, []byte("COMMIT\x00")) {
		p.commit = true
	}
	p.seen++
	p.fell = p.seen == p.at || p.at < 0 && p.commit
	return p.where, p.fell
}

// fallsAtCommit makes the proxy fall silent at the next COMMIT.
func (p *proxy) fallsAtCommit(where cut) {
	p.arm(-1, where, false)
	p.silent = true
}

// back passes the server's answers on and tells of each "ready for query".
func (p *proxy) back(client, server net.Conn, quiet, ready chan struct{}) {
	defer client.Close()
	defer server.Close()
	for {
		head := make([]byte, 5)
		if _, err := io.ReadFull(server, head); err != nil {
			close(ready)
			return
		}
		message := make([]byte, binary.BigEndian.Uint32(head[1:])-4)
		if _, err := io.ReadFull(server, message); err != nil {
			close(ready)
			return
		}
		select {
		case <-quiet:
		default:
			if _, err := client.Write(append(head, message...)); err != nil {
				close(ready)
				return
			}
		}
		if head[0] == 'Z' {
			ready <- struct{}{}
		}
	}
}
