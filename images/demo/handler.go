package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"sort"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

var started = time.Now()

func handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", page)
	var unhealthy atomic.Bool
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		if unhealthy.Load() {
			http.Error(w, "asked to be unhealthy", http.StatusServiceUnavailable)
			return
		}
		fmt.Fprintln(w, "ok")
	})
	mux.HandleFunc("GET /unhealthy", func(w http.ResponseWriter, _ *http.Request) { unhealthy.Store(true) })
	mux.HandleFunc("GET /env", func(w http.ResponseWriter, _ *http.Request) {
		env := os.Environ()
		sort.Strings(env)
		fmt.Fprintln(w, strings.Join(env, "\n"))
	})
	mux.HandleFunc("GET /id", identity)
	mux.HandleFunc("GET /meminfo", file("/proc/meminfo"))
	mux.HandleFunc("GET /mounts", file("/proc/self/mountinfo"))
	mux.HandleFunc("GET /proc/{pid}/{file}", process)
	mux.HandleFunc("GET /log", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintln(os.Stdout, r.FormValue("stdout"))
		fmt.Fprintln(os.Stderr, r.FormValue("stderr"))
	})
	mux.HandleFunc("GET /chatter", chatter)
	mux.HandleFunc("GET /exit", exit)
	mux.HandleFunc("GET /kill", kill)
	mux.HandleFunc("GET /alloc", allocate())
	mux.HandleFunc("GET /write", write)
	mux.HandleFunc("GET /fill", fill)
	mux.HandleFunc("GET /read", func(w http.ResponseWriter, r *http.Request) { file(r.FormValue("path"))(w, r) })
	mux.HandleFunc("GET /list", list)
	mux.HandleFunc("GET /size", size)
	mux.HandleFunc("GET /iouring", ioUring)
	mux.HandleFunc("GET /sysctls", sysctls("/proc/sys"))
	mux.HandleFunc("GET /copy", copyFrom)
	return mux
}

func page(w http.ResponseWriter, _ *http.Request) {
	host, _ := os.Hostname()
	version := os.Getenv("STELE_VERSION")
	if version == "" {
		version = "unknown"
	}
	fmt.Fprintf(w, "Hello from a container on Stele.\n\nhost     %s\nversion  %s\nuptime   %s\n",
		host, version, time.Since(started).Round(time.Millisecond))
}

func identity(w http.ResponseWriter, _ *http.Request) {
	groups, _ := os.Getgroups()
	fmt.Fprintf(w, "uid %d gid %d groups %v\n", os.Getuid(), os.Getgid(), groups)
	status, _ := os.ReadFile("/proc/self/status")
	for line := range strings.Lines(string(status)) {
		if strings.HasPrefix(line, "Cap") || strings.HasPrefix(line, "NoNewPrivs") || strings.HasPrefix(line, "Seccomp") {
			_, _ = io.WriteString(w, line)
		}
	}
}

func file(path string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		data, err := os.ReadFile(path)
		if err != nil {
			http.Error(w, err.Error(), http.StatusNotFound)
			return
		}
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		_, _ = w.Write(data)
	}
}

// list shows the names in a directory, and where links lead.
func list(w http.ResponseWriter, r *http.Request) {
	dir := r.FormValue("path")
	entries, err := os.ReadDir(dir)
	if err != nil {
		http.Error(w, err.Error(), http.StatusNotFound)
		return
	}
	for _, entry := range entries {
		target, _ := os.Readlink(filepath.Join(dir, entry.Name())) // empty: it is no link
		fmt.Fprintln(w, strings.TrimSpace(entry.Name()+" "+target))
	}
}

func process(w http.ResponseWriter, r *http.Request) {
	pid, err := strconv.Atoi(r.PathValue("pid"))
	name := r.PathValue("file")
	if err != nil || (name != "status" && name != "cmdline" && name != "smaps_rollup") {
		http.NotFound(w, r)
		return
	}
	file(filepath.Join("/proc", strconv.Itoa(pid), name))(w, r)
}

func chatter(w http.ResponseWriter, r *http.Request) {
	mib, err := strconv.Atoi(r.FormValue("mib"))
	if err != nil || mib < 0 {
		http.Error(w, "mib is no number", http.StatusBadRequest)
		return
	}
	lines := []byte(strings.Repeat(strings.Repeat("x", 127)+"\n", 512)) // 64 KiB
	for range mib * 16 {
		if _, err := os.Stdout.Write(lines); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
	}
	fmt.Fprintf(w, "wrote %d MiB\n", mib)
}

func size(w http.ResponseWriter, r *http.Request) {
	var total int64
	err := filepath.WalkDir(r.FormValue("path"), func(_ string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		info, err := entry.Info()
		if err == nil {
			total += info.Size()
		}
		return err
	})
	if err != nil {
		http.Error(w, err.Error(), http.StatusNotFound)
		return
	}
	fmt.Fprintln(w, total)
}

func exit(w http.ResponseWriter, r *http.Request) {
	code, err := strconv.Atoi(r.FormValue("code"))
	if err != nil {
		http.Error(w, "code is no number", http.StatusBadRequest)
		return
	}
	fmt.Fprintf(w, "exiting with %d\n", code)
	_ = http.NewResponseController(w).Flush()
	time.AfterFunc(50*time.Millisecond, func() { os.Exit(code) })
}

func kill(w http.ResponseWriter, r *http.Request) {
	pid, err := strconv.Atoi(r.FormValue("pid"))
	signal, err2 := strconv.Atoi(r.FormValue("signal"))
	if err != nil || err2 != nil || pid < 1 {
		http.Error(w, "pid or signal is no number", http.StatusBadRequest)
		return
	}
	if err := syscall.Kill(pid, syscall.Signal(signal)); err != nil {
		http.Error(w, err.Error(), http.StatusForbidden)
		return
	}
	fmt.Fprintf(w, "sent signal %d to process %d\n", signal, pid)
}

func allocate() http.HandlerFunc {
	var mu sync.Mutex
	var kept [][]byte
	return func(w http.ResponseWriter, r *http.Request) {
		mib, err := strconv.Atoi(r.FormValue("mib"))
		if err != nil || mib < 0 {
			http.Error(w, "mib is no number", http.StatusBadRequest)
			return
		}
		block := make([]byte, mib<<20)
		for i := 0; i < len(block); i += 4096 {
			block[i] = 1
		}
		mu.Lock()
		defer mu.Unlock()
		kept = append(kept, block)
		fmt.Fprintf(w, "took %d MiB, block %d\n", mib, len(kept))
	}
}

func write(w http.ResponseWriter, r *http.Request) {
	f, err := os.OpenFile(r.FormValue("path"), os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o644)
	if err == nil {
		_, err = io.WriteString(f, r.FormValue("data"))
		if e := f.Sync(); err == nil && !errors.Is(e, syscall.EINVAL) { // a file of /proc has nothing to make durable
			err = e
		}
		if e := f.Close(); err == nil {
			err = e
		}
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	fmt.Fprintln(w, "written")
}

func fill(w http.ResponseWriter, r *http.Request) {
	f, err := os.OpenFile(r.FormValue("path"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	defer f.Close()
	var total int
	for block := make([]byte, 1<<20); err == nil && len(block) > 0; {
		var n int
		n, err = f.Write(block)
		total += n
		if errors.Is(err, syscall.ENOSPC) && len(block) > 1 { // to the last byte
			block, err = block[:len(block)/2], nil
		}
	}
	_ = f.Sync()
	fmt.Fprintf(w, "wrote %d bytes: %v\n", total, err)
}
