package repository

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
)

// screen refuses documents that go-tuf's decoder or verifier cannot stand, before any signature is looked at: a null where it follows a
// pointer, names that differ only in case (encoding/json takes them for one), deep nesting. No valid metadata has any of these.
func screen(data []byte) error {
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	if first, err := d.Token(); err != nil || first != json.Delim('{') {
		return errors.New("it is no JSON object")
	}
	if err := screenObject(d, 1); err != nil {
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return fmt.Errorf("it is no TUF metadata: %w", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("it is no TUF metadata: something follows its end")
	}
	return nil
}

// screenObject reads to the end of an object whose brace is read.
func screenObject(d *json.Decoder, depth int) error {
	seen := map[string]bool{}
	for d.More() {
		token, err := d.Token()
		if err != nil {
			return err
		}
		name, _ := token.(string)
		if folded := strings.ToLower(name); seen[folded] {
			return fmt.Errorf("%q stands twice in one object", name)
		} else {
			seen[folded] = true
		}
		if err := screenValue(d, depth); err != nil {
			return err
		}
	}
	_, err := d.Token()
	return err
}

func screenValue(d *json.Decoder, depth int) error {
	token, err := d.Token()
	if err != nil {
		return err
	}
	if token == nil {
		return fmt.Errorf("null at byte %d", d.InputOffset())
	}
	delim, ok := token.(json.Delim)
	if !ok {
		return nil
	}
	if depth == maxDepth {
		return fmt.Errorf("it is nested deeper than %d", maxDepth)
	}
	if delim == '{' {
		return screenObject(d, depth+1)
	}
	for d.More() {
		if err := screenValue(d, depth+1); err != nil {
			return err
		}
	}
	_, err = d.Token()
	return err
}
