package artifact

import (
	"archive/tar"
	"bytes"
	"context"
	"encoding/pem"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/stele-os/stele/builder/store"
)

// CertificatesName is the file that Certificates makes.
const CertificatesName = "ca-certificates.crt"

// maxCertificateBytes bounds one root certificate; the largest of today has 3 KB.
const maxCertificateBytes = 64 << 10

// Certificates joins the roots of Mozilla's list, as the package ca-certificates carries them, into one PEM bundle: what
// update-ca-certificates(8) makes of an unchanged installation, without running it.
func Certificates(p Package) Recipe {
	return Recipe{
		Version: p.Version,
		Key:     store.NewKey("certificates").Add("package", p.SHA256).Add("recipe", "1"),
		Build: func(ctx context.Context, dir string) error {
			roots := map[string][]byte{}
			err := p.walk(ctx, func(name string, header *tar.Header, content io.Reader) error {
				if header.Typeflag != tar.TypeReg || !strings.HasPrefix(name, "/usr/share/ca-certificates/mozilla/") || filepath.Ext(name) != ".crt" {
					return nil
				}
				text, err := io.ReadAll(io.LimitReader(content, maxCertificateBytes))
				if err != nil {
					return err
				}
				block, _ := pem.Decode(text)
				if block == nil || block.Type != "CERTIFICATE" {
					return fmt.Errorf("%q is no PEM certificate", name)
				}
				roots[name] = pem.EncodeToMemory(&pem.Block{Type: block.Type, Bytes: block.Bytes})
				return nil
			})
			if err != nil {
				return err
			}
			if len(roots) == 0 {
				return fmt.Errorf("cannot find certificates in package %q", p.Name)
			}
			var bundle bytes.Buffer
			for _, name := range slices.Sorted(maps.Keys(roots)) {
				bundle.Write(roots[name])
			}
			return os.WriteFile(filepath.Join(dir, CertificatesName), bundle.Bytes(), 0o644)
		},
	}
}
