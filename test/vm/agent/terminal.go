package main

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"unsafe"
)

// Starts a command on a terminal of its own, for a shell. Returns what the user types into.
func startOnTerminal(command *exec.Cmd, message request, out io.Writer, copied *sync.WaitGroup) (io.WriteCloser, error) {
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		return nil, err
	}
	var number, unlocked int32
	size := [4]uint16{message.Rows, message.Cols}
	control(master, syscall.TIOCSPTLCK, unsafe.Pointer(&unlocked))
	control(master, syscall.TIOCGPTN, unsafe.Pointer(&number))
	control(master, syscall.TIOCSWINSZ, unsafe.Pointer(&size))
	terminal, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		return nil, err
	}
	defer terminal.Close()
	command.Stdin, command.Stdout, command.Stderr = terminal, terminal, terminal
	command.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := command.Start(); err != nil {
		return nil, err
	}
	copied.Go(func() { io.Copy(out, master) })
	return master, nil
}

func control(file *os.File, request uintptr, argument unsafe.Pointer) {
	syscall.Syscall(syscall.SYS_IOCTL, file.Fd(), request, uintptr(argument))
}
