package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	nodev1 "github.com/stele-os/stele/api/node/v1"
	"github.com/stele-os/stele/internal/vm"
	"github.com/stele-os/stele/operator/node"
	"github.com/stele-os/stele/test/qemu/machine"
	"github.com/stele-os/stele/test/site"
	"github.com/stele-os/stele/test/versions"
)

const (
	// apiPort is the default of spec.api.port.
	apiPort = 7835
	// serverAddress is where machines find repository and plain files.
	serverAddress = "10.0.2.100:80"
	// updateTimeout bounds each step of an update.
	updateTimeout = 10 * time.Minute
)

// stand is an update site, versions of the demo image, and one web server: the repository, and the same images as plain files at /plain/VERSION/.
type stand struct {
	*site.Site
	builder versions.Builder
	server  *http.Server
	address string
	// sent counts the bytes of all bodies.
	sent atomic.Int64
}

// newStand makes one in dir, which it empties, below this source tree. Its versions have the kernel and the architecture of image.
func newStand(ctx context.Context, dir string, image machine.Image) (*stand, error) {
	repository, err := filepath.Abs(".")
	if err != nil {
		return nil, err
	}
	dir = filepath.Join(repository, dir)
	if err := os.RemoveAll(dir); err != nil {
		return nil, err
	}
	own, err := site.Open(ctx, filepath.Join(dir, "site"))
	if err != nil {
		return nil, err
	}
	s := &stand{Site: own, builder: versions.Builder{Repository: repository, Dir: dir, Like: image, UpdateRoot: own.UpdateRoot()}}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.Handle("/", own.Handler())
	mux.Handle("/plain/", http.StripPrefix("/plain/", http.FileServer(http.Dir(dir))))
	s.address = listener.Addr().String()
	s.server = &http.Server{Handler: s.count(mux), ReadHeaderTimeout: time.Minute}
	go func() { _ = s.server.Serve(listener) }() // ends with Close
	return s, nil
}

// Close ends the server.
func (s *stand) Close() { s.server.Close() }

func (s *stand) count(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { h.ServeHTTP(&counted{w, &s.sent}, r) })
}

type counted struct {
	http.ResponseWriter
	sent *atomic.Int64
}

func (c *counted) Write(p []byte) (int, error) {
	n, err := c.ResponseWriter.Write(p)
	c.sent.Add(int64(n))
	return n, err
}

// version builds and publishes one.
func (s *stand) version(ctx context.Context, v versions.Version) (machine.Image, error) {
	image, err := s.builder.Build(ctx, v)
	if err == nil {
		err = s.Publish(ctx, image, "")
	}
	return image, err
}

// guest is a machine of the stand, serving.
type guest struct {
	*vm.VM
	client *node.Client
}

// start boots an image by firmware, as a machine that takes updates.
func (s *stand) start(ctx context.Context, image machine.Image) (*guest, error) {
	m, err := vm.Start(ctx, image.VM(machine.Options{
		Document: s.document(), Reboot: true, Watchdog: "reset", DiskSizeBytes: 4 << 30,
		Forwards:      []vm.Forward{{Guest: machine.DemoPort}, {Guest: apiPort}},
		GuestForwards: []vm.GuestForward{{Listen: serverAddress, Target: s.address}},
	}))
	if err != nil {
		return nil, err
	}
	g := &guest{VM: m}
	if _, err = machine.Serving(ctx, m, g.url("/healthz")); err == nil {
		err = g.connect(ctx, s)
	}
	if err != nil {
		g.end()
		return nil, err
	}
	return g, nil
}

func (g *guest) connect(ctx context.Context, s *stand) error {
	line, err := g.Expect(ctx, `^stele: .*api: port \d+, fingerprint (SHA256:\S+)`)
	if err == nil {
		g.client, err = s.Client("guest", g.Address(apiPort), line.Groups[1], "operator")
	}
	return err
}

func (g *guest) end() {
	if g.client != nil {
		g.client.Close()
	}
	g.Cut()
	os.RemoveAll(g.Dir)
}

func (g *guest) url(path string) string { return "http://" + g.Address(machine.DemoPort) + path }

// document: the demo sees the machine's processes and may write to a volume on /var; quick gates.
func (s *stand) document() []byte {
	ca := strings.ReplaceAll(strings.TrimSpace(s.ClientCAs), "\n", "\n      ")
	return fmt.Appendf(nil, `apiVersion: stele/v1alpha1
kind: Machine
spec:
  api:
    clientCAs: |
      %s
  update: {repository: {url: "http://%s"}, probationSeconds: 3, deadlineSeconds: 120}
  volumes: [{name: data, persistent: {}}]
  containers:
    - name: demo
      image: demo
      hostPID: true
      securityContext: {runAsUser: 0, privileged: true}
      volumeMounts: [{name: data, mountPath: /data}]
      readinessProbe: {httpGet: {path: /healthz, port: 8080}, periodSeconds: 1}
`, ca, serverAddress)
}

// ask asks the demo.
func (g *guest) ask(ctx context.Context) func(path string) (string, error) {
	return func(path string) (string, error) { return get(ctx, g.url(path)) }
}

// stage stages a version from the repository, and says how long each phase took.
func (g *guest) stage(ctx context.Context, version string) (phases map[string]float64, err error) {
	ctx, cancel := context.WithTimeout(ctx, updateTimeout)
	defer cancel()
	phases, last, since := map[string]float64{}, "asking", time.Now()
	_, err = g.client.Stage(ctx, version, nil, func(p *nodev1.Progress) {
		if p.GetPhase() != last {
			phases[last] += time.Since(since).Seconds()
			last, since = p.GetPhase(), time.Now()
		}
	})
	return phases, node.Explain("guest", err)
}
