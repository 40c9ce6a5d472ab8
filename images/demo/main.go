// Command demo is the program inside the demo image: a web server that shows where it runs, and that tests and benchmarks ask.
//
//	GET /                       a page for people: host name, version of Stele (variable STELE_VERSION), uptime
//	GET /healthz                200 "ok"; 503 after /unhealthy
//	GET /unhealthy              makes /healthz fail from now on
//	GET /env                    the environment, sorted
//	GET /id                     uid, gid, groups and capabilities of the process
//	GET /meminfo                the host's /proc/meminfo
//	GET /proc/PID/FILE          status or cmdline of a process (with hostPID: of the host)
//	GET /mounts                 the container's mounts
//	GET /log?stdout=&stderr=    writes one line to each
//	GET /chatter?mib=N          writes N MiB of lines to standard output
//	GET /exit?code=N            ends the process
//	GET /kill?pid=P&signal=N    sends a signal to a process that the container sees (with hostPID: of the host)
//	GET /alloc?mib=N            takes and touches N MiB of memory, and keeps them
//	GET /write?path=P&data=D    writes a file, made durable
//	GET /fill?path=P            appends to a file until there is no room
//	GET /read?path=P            reads a file
//	GET /size?path=P            bytes of all files below a directory
//	GET /copy?url=U&path=P      fetches U (several after each other), writes the file, made durable, hashes it, and says how long that took
//
// It listens on PORT (default 8080) and ends on SIGTERM. Before it answers anyone it asks itself for DEMO_AT_START, such as "/unhealthy": a version
// that is bad from its start. It needs no file and no network beyond that port: a scratch image holds it.
package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	port := os.Getenv("PORT")
	if port == "" {
		port = "8080"
	}
	ended := make(chan os.Signal, 1)
	signal.Notify(ended, syscall.SIGTERM, syscall.SIGINT)
	go func() {
		<-ended
		fmt.Println("demo: asked to end")
		os.Exit(0)
	}()
	pages := handler()
	if first := os.Getenv("DEMO_AT_START"); first != "" {
		pages.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, first, nil))
	}
	fmt.Println("demo: listening on port " + port)
	err := http.ListenAndServe(":"+port, pages) //nolint:gosec // a demo
	fmt.Fprintf(os.Stderr, "cannot listen on port %s: %v\n", port, err)
	os.Exit(1)
}
