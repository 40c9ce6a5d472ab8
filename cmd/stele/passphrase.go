package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"

	"golang.org/x/term"

	"github.com/stele-os/stele/internal/hint"
)

// passphrases come from a file, the environment or the terminal, in this order. Key files that are made by one command share one.
type passphrases struct {
	known []byte
	fresh []byte
}

func newPassphrases(file string) (*passphrases, error) {
	if file != "" {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, fmt.Errorf("cannot read passphrase: %w", err)
		}
		return &passphrases{known: bytes.TrimRight(text, "\r\n")}, nil
	}
	if text, ok := os.LookupEnv("STELE_PASSPHRASE"); ok {
		return &passphrases{known: []byte(text)}, nil
	}
	return &passphrases{}, nil
}

// get returns the passphrase of a key file that is there, or for a new one.
func (p *passphrases) get(file string) ([]byte, error) {
	if p.known != nil {
		return p.known, nil
	}
	if _, err := os.Stat(file); err == nil {
		return ask("Passphrase of " + file + ": ")
	}
	if p.fresh != nil {
		return p.fresh, nil
	}
	first, err := ask("Passphrase for new keys: ")
	if err != nil {
		return nil, err
	}
	second, err := ask("The same again: ")
	if err != nil {
		return nil, err
	}
	if !bytes.Equal(first, second) {
		return nil, errors.New("cannot make keys: the two passphrases differ")
	}
	p.fresh = first
	return first, nil
}

func ask(question string) ([]byte, error) {
	terminal, err := os.OpenFile("/dev/tty", os.O_RDWR, 0)
	if err != nil {
		return nil, hint.New(errors.New("cannot ask for a passphrase: there is no terminal"),
			"give it with --passphrase-file or STELE_PASSPHRASE; --unencrypted makes new keys without one")
	}
	defer terminal.Close()
	fmt.Fprint(terminal, question)
	answer, err := term.ReadPassword(int(terminal.Fd()))
	fmt.Fprintln(terminal)
	if err != nil {
		return nil, fmt.Errorf("cannot ask for a passphrase: %w", err)
	}
	return answer, nil
}
