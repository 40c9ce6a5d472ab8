package debian

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp"
	"github.com/ProtonMail/go-crypto/openpgp/clearsign"
	"github.com/ProtonMail/go-crypto/openpgp/packet"
)

var now = time.Date(2026, 11, 21, 0, 0, 0, 0, time.UTC)

func newKey(t *testing.T) *openpgp.Entity {
	t.Helper()
	config := &packet.Config{Algorithm: packet.PubKeyAlgoEdDSA, Time: func() time.Time { return now.AddDate(-1, 0, 0) }}
	key, err := openpgp.NewEntity("archive", "", "archive@example.com", config)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func sign(t *testing.T, key *openpgp.Entity, text string) string {
	t.Helper()
	var out bytes.Buffer
	w, err := clearsign.Encode(&out, key.PrivateKey, &packet.Config{Time: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

const packages = `Package: linux-source
Version: 6.12.9-1
Architecture: all
Filename: pool/main/l/linux/linux-source_6.12.9-1_all.deb
Size: 5
SHA256: ` + "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824" + `
Description: source
 long text
 .
 more

Package: other
Version: 1:2-3
Architecture: amd64
Filename: pool/o.deb
Size: 1
SHA256: ` + "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824" + `
`

func releaseText(extra, packages string) string {
	return fmt.Sprintf("Suite: stable\nCodename: trixie\n%sSHA256:\n %x %d main/binary-amd64/Packages\n",
		extra, sha256.Sum256([]byte(packages)), len(packages))
}

func serve(t *testing.T, files map[string]string) *httptest.Server {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		content, ok := files[r.URL.Path]
		if !ok {
			http.NotFound(w, r)
			return
		}
		fmt.Fprint(w, content)
	}))
	t.Cleanup(server.Close)
	return server
}

func TestIndex(t *testing.T) {
	key := newKey(t)
	server := serve(t, map[string]string{
		"/d/dists/trixie/InRelease":                  sign(t, key, releaseText("Date: Sat, 12 Sep 2026 07:55:41 UTC\nValid-Until: Sat, 28 Nov 2026 00:00:00 UTC\nAcquire-By-Hash: yes\n", packages)),
		"/d/dists/trixie/main/binary-amd64/Packages": packages, // by-hash is absent: the plain name is the fallback
	})
	archive := &Archive{Mirror: server.URL + "/d/", Keyring: openpgp.EntityList{key}, Client: server.Client(), Now: func() time.Time { return now }}
	var got []string
	date, err := archive.Index(context.Background(), "trixie", "main", "amd64", func(p Package) error {
		got = append(got, p.String())
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if want := time.Date(2026, 9, 12, 7, 55, 41, 0, time.UTC); !date.Equal(want) {
		t.Errorf("signed at %v, want %v", date, want)
	}
	if want := "linux-source_6.12.9-1_all other_1:2-3_amd64"; strings.Join(got, " ") != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestStalledTransferEnds(t *testing.T) {
	hang := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, "some")
		w.(http.Flusher).Flush()
		<-hang
	}))
	defer server.Close()
	defer close(hang)
	ctx, cancel := context.WithCancelCause(context.Background())
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, server.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := server.Client().Do(request)
	if err != nil {
		t.Fatal(err)
	}
	body := newStallReader(ctx, cancel, response.Body, 20*time.Millisecond)
	defer body.Close()
	got, err := io.ReadAll(body)
	if string(got) != "some" || !errors.Is(err, errStalled) {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestIndexRefuses(t *testing.T) {
	key, stranger := newKey(t), newKey(t)
	good := sign(t, key, releaseText("", packages))
	for _, c := range []struct{ name, inRelease, packages, want string }{
		{"foreign signature", sign(t, stranger, releaseText("", packages)), packages, "no signature by a key of the keyring"},
		{"no signature", releaseText("", packages), packages, "holds no OpenPGP signed message"},
		{"changed text", strings.Replace(good, "Codename: trixie", "Codename: forky", 1), packages, "no signature by a key of the keyring"},
		{"expired", sign(t, key, releaseText("Valid-Until: Fri, 20 Nov 2026 00:00:00 UTC\n", packages)), packages, "expired at 2026-11-20T00:00:00Z"},
		{"another suite", sign(t, key, strings.NewReplacer("stable", "testing", "trixie", "forky").Replace(releaseText("", packages))), packages, `answered with suite "testing"`},
		{"changed index", good, packages + "\n", "the signed Release says"},
		{"no index", good, "", "the signed Release says"},
		{"truncated index", good, packages[:20], "the signed Release says"},
		{"no such architecture", sign(t, key, "Suite: trixie\n"), packages, "lists no main/binary-amd64/Packages"},
	} {
		t.Run(c.name, func(t *testing.T) {
			server := serve(t, map[string]string{
				"/dists/trixie/InRelease":                  c.inRelease,
				"/dists/trixie/main/binary-amd64/Packages": c.packages,
			})
			archive := &Archive{Mirror: server.URL, Keyring: openpgp.EntityList{key}, Client: server.Client(), Now: func() time.Time { return now }}
			_, err := archive.Index(context.Background(), "trixie", "main", "amd64", func(Package) error { return nil })
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}
