package kconfig

import (
	"errors"
	"fmt"
	"strings"
)

// Config is a .config: name to value. An option that is not set, or unknown to this kernel, is absent.
type Config map[string]string

// Value of an option, "n" when it is absent.
func (c Config) Value(name string) string {
	if value, found := c[name]; found {
		return value
	}
	return "n"
}

// ParseConfig decodes a .config as written by the kernel's conf (scripts/kconfig/confdata.c, conf_write); name is used in errors.
func ParseConfig(name string, text []byte) (Config, error) {
	config := Config{}
	var errs []error
	for i, line := range splitLines(text) {
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		if err := config.parseLine(line); err != nil {
			errs = append(errs, &SyntaxError{File: name, Line: i + 1, Cause: err})
		}
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	return config, nil
}

func (c Config) parseLine(line string) error {
	option, rest, err := cutName(line)
	if err != nil {
		return err
	}
	value, rest, err := cutValue(rest)
	if err != nil {
		return fmt.Errorf("%s: %w", option, err)
	}
	if rest != "" {
		return fmt.Errorf("%s: unexpected %q behind the value", option, rest)
	}
	if _, twice := c[option]; twice {
		return fmt.Errorf("%s stands here a second time", option)
	}
	c[option] = value
	return nil
}
