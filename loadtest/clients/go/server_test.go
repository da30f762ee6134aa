package omendb_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/omendb/omendb-go"
)

// server is a real one, from the project's tree, which a test may kill and start again.
var server *testServer

func TestMain(m *testing.M) {
	os.Exit(run(m))
}

func run(m *testing.M) int {
	directory, err := os.MkdirTemp("", "omendb-go")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(directory)
	server = &testServer{directory: directory, target: freeTarget()}
	if err := server.start(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer server.kill()
	return m.Run()
}

type testServer struct {
	directory string
	target    string
	process   *exec.Cmd
	exited    chan struct{}
	guard     *exec.Cmd
}

func freeTarget() string {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	defer listener.Close()
	return listener.Addr().String()
}

// start returns when the server answers.
func (s *testServer) start() error {
	path := filepath.Join(s.directory, "server.log")
	if err := s.launch(path); err != nil {
		return err
	}
	client, err := omendb.Connect(s.target)
	if err != nil {
		return err
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	answered := make(chan error, 1)
	go func() {
		_, err := client.Stats(ctx)
		answered <- err
	}()
	select {
	case err = <-answered:
	case <-s.exited:
		err = errors.New("the server ended")
	}
	if err != nil {
		s.kill()
		log, _ := os.ReadFile(path)
		return fmt.Errorf("%w\n%s", err, log)
	}
	return nil
}

func (s *testServer) launch(log string) error {
	file, err := os.OpenFile(log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer file.Close()
	process := exec.Command("../../../omendb", "serve", "--data", filepath.Join(s.directory, "data"), "--listen", s.target)
	process.Stderr = file
	// A group of its own: the script and what it starts are killed together.
	process.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := process.Start(); err != nil {
		return err
	}
	exited := make(chan struct{})
	go func() {
		process.Wait()
		close(exited)
	}()
	s.process, s.exited = process, exited
	// Tests that panic or are killed leave no server behind: the end of this process is the end of the guard's input.
	s.guard = exec.Command("sh", "-c", `read -r _; kill -s KILL -- "-$1"`, "sh", strconv.Itoa(process.Process.Pid))
	s.guard.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if _, err := s.guard.StdinPipe(); err != nil {
		return err
	}
	return s.guard.Start()
}

// kill is as a power cut would be, but for what the device has not.
func (s *testServer) kill() {
	s.guard.Process.Kill()
	s.guard.Wait()
	syscall.Kill(-s.process.Process.Pid, syscall.SIGKILL)
	<-s.exited
}

// connect gives a client, and a context that ends before the test's patience does.
func connect(t *testing.T) (context.Context, *omendb.Client) {
	t.Helper()
	client, err := omendb.Connect(server.target)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close() })
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	t.Cleanup(cancel)
	return ctx, client
}

// create makes a collection for one test.
func create(t *testing.T, config omendb.CollectionConfig) (context.Context, *omendb.Collection) {
	t.Helper()
	ctx, client := connect(t)
	collection := must(client.CreateCollection(ctx, config))(t)
	t.Cleanup(func() { must(collection.Drop(context.Background()))(t) })
	return ctx, collection
}

func must[T any](value T, err error) func(*testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return value
	}
}

func equal[T comparable](t *testing.T, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s is %v, expected %v", what, got, want)
	}
}

func random(count, dimension int) []float32 {
	source := rand.New(rand.NewPCG(7, uint64(count)))
	vectors := make([]float32, count*dimension)
	for i := range vectors {
		vectors[i] = float32(source.NormFloat64())
	}
	return vectors
}

// pause makes the server silent: it keeps its connections and does nothing.
func (s *testServer) pause() {
	syscall.Kill(-s.process.Process.Pid, syscall.SIGSTOP)
}

func (s *testServer) resume() {
	syscall.Kill(-s.process.Process.Pid, syscall.SIGCONT)
}
