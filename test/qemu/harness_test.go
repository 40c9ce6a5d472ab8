//go:build qemu

package qemu

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stele-os/stele/internal/vm"
	"github.com/stele-os/stele/test/qemu/machine"
	"github.com/stele-os/stele/test/scratch"
)

// expectTimeout bounds each expectation; emulation on a busy machine takes its time.
const expectTimeout = 5 * time.Minute

var image machine.Image

func TestMain(m *testing.M) {
	vm.RunRelay()
	dir := os.Getenv("STELE_IMAGE_DIR")
	if dir == "" {
		dir = filepath.Join("..", "..", "build", "x86_64", "demo")
	}
	var err error
	if dir, err = filepath.Abs(dir); err == nil {
		image, err = machine.Open(dir)
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "%v\nhint: make demo, or name another directory in STELE_IMAGE_DIR\n", err)
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// guest is a machine under test.
type guest struct {
	*vm.VM
	t *testing.T
}

// boot powers a machine on. It is cut off when the test ends, and the test fails if its console ever showed trouble.
func boot(t *testing.T, o machine.Options) *guest {
	t.Helper()
	return bootImage(t, image, o)
}

// bootImage is boot with another image.
func bootImage(t *testing.T, image machine.Image, o machine.Options) *guest {
	t.Helper()
	if o.Dir == "" {
		o.Dir = scratch.Dir(t)
	}
	m, err := vm.Start(context.Background(), image.VM(o))
	if err != nil {
		t.Fatal(err)
	}
	g := &guest{m, t}
	t.Cleanup(g.finish)
	return g
}

func (g *guest) finish() {
	g.Close()
	if err := g.Console.Err(); err != nil {
		g.t.Error(err)
	}
	if g.t.Failed() {
		top, _, _ := strings.Cut(g.t.Name(), "/")
		g.t.Logf("console log: %s\nagain:       go test -tags qemu ./test/qemu -run '^%s$' -v\nby hand:     %s", g.ConsoleLog(), top, g.Command)
	}
}

func (g *guest) context() (context.Context, context.CancelFunc) {
	return context.WithTimeoutCause(g.t.Context(), expectTimeout, fmt.Errorf("not within %v", expectTimeout))
}

// expect waits for a console line, past ones included, and returns it.
func (g *guest) expect(pattern string) vm.Match {
	g.t.Helper()
	return g.expectFrom(0, pattern)
}

// expectFrom waits for a console line from index first on.
func (g *guest) expectFrom(first int, pattern string) vm.Match {
	g.t.Helper()
	ctx, cancel := g.context()
	defer cancel()
	m, err := g.ExpectFrom(ctx, first, pattern)
	if err != nil {
		g.t.Fatal(err)
	}
	return m
}

// never fails when the console said it so far.
func (g *guest) never(pattern string) {
	g.t.Helper()
	re := regexp.MustCompile(pattern)
	for _, line := range g.Console.Lines(0) {
		if re.MatchString(line.Text) {
			g.t.Errorf("the console says %q, which matches %q", line.Text, pattern)
		}
	}
}

// event waits for a QMP event.
func (g *guest) event(name string) vm.Event {
	g.t.Helper()
	ctx, cancel := g.context()
	defer cancel()
	e, err := g.QMP.ExpectEvent(ctx, 0, name)
	if err != nil {
		g.t.Fatal(err)
	}
	return e
}

// serving waits until the demo answers on the forwarded port.
func (g *guest) serving() {
	g.t.Helper()
	ctx, cancel := g.context()
	defer cancel()
	after, err := machine.Serving(ctx, g.VM, "http://"+g.Address(machine.DemoPort)+"/healthz")
	if err != nil {
		g.t.Fatal(err)
	}
	g.t.Logf("answered %.1f s after power-on", after.Seconds())
}

// ask gets a path from a container; pairs are query keys and values.
func (g *guest) ask(port int, path string, pairs ...string) (int, string) {
	g.t.Helper()
	query := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		query.Set(pairs[i], pairs[i+1])
	}
	ctx, cancel := context.WithTimeout(g.t.Context(), time.Minute)
	defer cancel()
	status, body, err := machine.Get(ctx, "http://"+g.Address(port)+path+"?"+query.Encode())
	if err != nil {
		g.t.Fatalf("cannot ask %q: %v", path, err)
	}
	return status, body
}

// get is ask where only 200 will do.
func (g *guest) get(port int, path string, pairs ...string) string {
	g.t.Helper()
	status, body := g.ask(port, path, pairs...)
	if status != http.StatusOK {
		g.t.Fatalf("%q answers %d: %s", path, status, body)
	}
	return body
}

// report waits for the boot report.
func (g *guest) report() machine.Report {
	g.t.Helper()
	ctx, cancel := g.context()
	defer cancel()
	r, err := machine.WaitReport(ctx, g.VM)
	if err != nil {
		g.t.Fatal(err)
	}
	return r
}

// powerOff presses the power button and waits for the end.
func (g *guest) powerOff() {
	g.t.Helper()
	ctx, cancel := g.context()
	defer cancel()
	if err := g.Powerdown(ctx); err != nil {
		g.t.Fatal(err)
	}
	if err := g.Wait(ctx); err != nil {
		g.t.Fatal(err)
	}
}

// serve runs a handler on the host's loopback and leads a guest's address to it.
func serve(t *testing.T, listen string, handler http.Handler) vm.GuestForward {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return vm.GuestForward{Listen: listen, Target: strings.TrimPrefix(server.URL, "http://")}
}

// document writes a Machine document around the lines of its spec.
func document(spec string) []byte {
	lines := strings.Split(strings.Trim(spec, "\n"), "\n")
	return []byte("apiVersion: stele/v1alpha1\nkind: Machine\nspec:\n  " + strings.Join(lines, "\n  ") + "\n")
}

// demo is the baked demo as a container of that name, which listens on its port.
func demo(name string, port int, more ...string) string {
	text := fmt.Sprintf(`
- name: %[1]s
  image: demo
  env: [{name: PORT, value: "%[2]d"}]
  ports: [{containerPort: %[2]d}]
  readinessProbe: {httpGet: {path: /healthz, port: %[2]d}, periodSeconds: 1}`, name, port)
	for _, line := range more {
		text += "\n  " + line
	}
	return text
}

// containers writes a document with these containers.
func containers(list ...string) []byte {
	return document("containers:" + strings.Join(list, ""))
}
