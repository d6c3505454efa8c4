// The hands of the tests in a virtual machine. Each virtio-serial port named exec.N carries one command at a time, as lines of JSON:
//
//	host  {"id","run":[...],"env":{},"cwd",...}, then {"id","in":base64}, {"id","eof":true}, {"id","signal":9}
//	guest {"id","started":true}, {"id","out":base64}, {"id","err":base64}, and in the end {"id","exit":code} or {"id","error":text}
//
// A host that closes the port ends what it started. A guest that comes up says {"boot":id} on every port: whoever waits for the end of
// a command of an earlier boot learns that there will be none, and whoever has not seen it start asks again. Asking twice starts it once.
package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
)

type request struct {
	ID     string            `json:"id"`
	Run    []string          `json:"run"`
	Env    map[string]string `json:"env"`
	Cwd    string            `json:"cwd"`
	Rows   uint16            `json:"rows"` // with columns: on a terminal of its own
	Cols   uint16            `json:"cols"`
	In     []byte            `json:"in"`
	EOF    bool              `json:"eof"`
	Signal int               `json:"signal"`
}

type reply struct {
	ID      string `json:"id,omitempty"`
	Boot    string `json:"boot,omitempty"`
	Started bool   `json:"started,omitempty"`
	Out     []byte `json:"out,omitempty"`
	Err     []byte `json:"err,omitempty"`
	Exit    *int   `json:"exit,omitempty"`
	Error   string `json:"error,omitempty"`
}

func main() {
	os.Setenv("PATH", "/run/karmada-net/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
	os.Setenv("HOME", "/root")
	boot, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	check(err)
	names, err := filepath.Glob("/sys/class/virtio-ports/*/name")
	check(err)
	poller, err := syscall.EpollCreate1(syscall.EPOLL_CLOEXEC)
	check(err)
	ports := map[int32]*port{}
	for _, name := range names {
		text, _ := os.ReadFile(name)
		if !strings.HasPrefix(string(text), "exec.") {
			continue
		}
		p := openPort(filepath.Join("/dev", filepath.Base(filepath.Dir(name))))
		ports[int32(p.fd)] = p
		// Edges only: a port that nobody has connected to hangs up all the time.
		events := uint32(syscall.EPOLLIN | syscall.EPOLLOUT | 1<<31)
		check(syscall.EpollCtl(poller, syscall.EPOLL_CTL_ADD, p.fd, &syscall.EpollEvent{Events: events, Fd: int32(p.fd)}))
		go p.serve(strings.TrimSpace(string(boot)))
	}
	fmt.Printf("agent: %d ports\n", len(ports))
	events := make([]syscall.EpollEvent, 64)
	for {
		n, err := syscall.EpollWait(poller, events, -1)
		if err != nil && err != syscall.EINTR {
			check(err)
		}
		for i := 0; i < n; i++ {
			p := ports[events[i].Fd]
			if events[i].Events&syscall.EPOLLHUP != 0 {
				p.endSession()
			}
			nudge(p.readable)
			nudge(p.writable)
		}
	}
}

// One end of a line to the host.
type port struct {
	fd                 int
	readable, writable chan struct{}
	writing            sync.Mutex
	mutex              sync.Mutex // of session
	session            *session
	last               string // id of the latest command
}

func openPort(path string) *port {
	fd, err := syscall.Open(path, syscall.O_RDWR|syscall.O_NONBLOCK|syscall.O_CLOEXEC, 0)
	check(err)
	return &port{fd: fd, readable: make(chan struct{}, 1), writable: make(chan struct{}, 1)}
}

func (p *port) serve(boot string) {
	// The line may end in half a message to the guest before this one.
	p.send(reply{Boot: boot}, nil)
	var pending []byte
	buffer := make([]byte, 64<<10)
	for {
		n, err := syscall.Read(p.fd, buffer)
		if n <= 0 || err != nil {
			if n == 0 && err == nil {
				p.endSession()
				pending = nil
			}
			<-p.readable
			continue
		}
		pending = append(pending, buffer[:n]...)
		for {
			end := bytes.IndexByte(pending, '\n')
			if end < 0 {
				break
			}
			var message request
			// Half a line is what a client left that ended in the middle of it.
			if json.Unmarshal(pending[:end], &message) == nil {
				p.handle(message)
			}
			pending = pending[end+1:]
		}
	}
}

func (p *port) handle(message request) {
	if message.Run != nil {
		if message.ID != p.last {
			p.last = message.ID
			p.endSession()
			p.start(message)
		}
		return
	}
	p.mutex.Lock()
	s := p.session
	p.mutex.Unlock()
	if s == nil || s.id != message.ID {
		return
	}
	switch {
	case message.Signal != 0:
		syscall.Kill(-s.pid, syscall.Signal(message.Signal))
	case message.EOF:
		close(s.input)
	default:
		select {
		case s.input <- message.In:
		case <-s.over:
		}
	}
}

// Gives up when the session is over and the host has gone: nobody reads any more.
func (p *port) send(message reply, over <-chan struct{}) {
	line, err := json.Marshal(message)
	check(err)
	line = append(append([]byte{'\n'}, line...), '\n')
	p.writing.Lock()
	defer p.writing.Unlock()
	for len(line) > 0 {
		n, err := syscall.Write(p.fd, line[:min(len(line), 32<<10)])
		if n > 0 {
			line = line[n:]
			continue
		}
		if err == syscall.EINTR {
			continue
		}
		if over == nil {
			return
		}
		select {
		case <-p.writable:
		case <-over:
			return
		}
	}
}

// A command that runs.
type session struct {
	id    string
	pid   int
	input chan []byte
	over  chan struct{} // closed when nobody waits for it any more
	once  sync.Once
	ended atomic.Bool // what it has left behind goes on
}

func (p *port) endSession() {
	p.mutex.Lock()
	s := p.session
	p.session = nil
	p.mutex.Unlock()
	if s != nil {
		s.once.Do(func() { close(s.over) })
		if !s.ended.Load() {
			syscall.Kill(-s.pid, syscall.SIGKILL)
		}
	}
}

func (p *port) start(message request) {
	command := exec.Command(message.Run[0], message.Run[1:]...)
	command.Dir = message.Cwd
	command.Env = os.Environ()
	for name, value := range message.Env {
		command.Env = append(command.Env, name+"="+value)
	}
	s := &session{id: message.ID, input: make(chan []byte, 16), over: make(chan struct{})}
	out := writer(func(data []byte) { p.send(reply{ID: s.id, Out: data}, s.over) })
	stderr := writer(func(data []byte) { p.send(reply{ID: s.id, Err: data}, s.over) })
	var stdin io.WriteCloser
	var copied sync.WaitGroup
	var err error
	if message.Rows > 0 {
		stdin, err = startOnTerminal(command, message, out, &copied)
	} else {
		command.Stdout, command.Stderr = out, stderr
		command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
		if stdin, err = command.StdinPipe(); err == nil {
			err = command.Start()
		}
	}
	if err != nil {
		p.send(reply{ID: s.id, Error: err.Error()}, s.over)
		return
	}
	s.pid = command.Process.Pid
	p.mutex.Lock()
	p.session = s
	p.mutex.Unlock()
	p.send(reply{ID: s.id, Started: true}, s.over)
	go func() {
		defer stdin.Close()
		for {
			select {
			case data, more := <-s.input:
				if !more {
					return
				}
				// A program that has closed its input may go on without.
				stdin.Write(data)
			case <-s.over:
				return
			}
		}
	}()
	go func() {
		code := exitCode(command.Wait())
		s.ended.Store(true)
		copied.Wait()
		p.send(reply{ID: s.id, Exit: &code}, s.over)
	}()
}

type writer func(data []byte)

func (w writer) Write(data []byte) (int, error) {
	w(data)
	return len(data), nil
}

func exitCode(err error) int {
	var exit *exec.ExitError
	if !errors.As(err, &exit) {
		return 0
	}
	status := exit.Sys().(syscall.WaitStatus)
	if status.Signaled() {
		return 128 + int(status.Signal())
	}
	return status.ExitStatus()
}

func nudge(channel chan struct{}) {
	select {
	case channel <- struct{}{}:
	default:
	}
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "agent:", err)
		os.Exit(1)
	}
}
