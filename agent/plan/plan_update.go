package plan

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/stele-os/stele/api/v1alpha1"
)

// Defaults of the API and of updates.
const (
	DefaultAPIPort          = 7835
	defaultProbationSeconds = 30
	defaultDeadlineSeconds  = 300
	defaultCheckSeconds     = 5
)

// planAPI gives the zero value where nobody may call.
func planAPI(doc v1alpha1.API) API {
	if doc.ClientCAs == "" {
		return API{}
	}
	return API{Port: cmp.Or(doc.Port, DefaultAPIPort), ClientCAs: doc.ClientCAs}
}

func planUpdate(doc v1alpha1.Update) (Update, error) {
	probation, deadline := UpdateTimes(doc)
	planned := Update{
		Probation:           probation,
		Deadline:            deadline,
		RequireConfirmation: doc.RequireConfirmation != nil && *doc.RequireConfirmation,
		Checks:              planChecks(doc.Checks),
	}
	r := doc.Repository
	if r == nil {
		return planned, nil
	}
	planned.Repository, planned.CA = strings.TrimRight(r.URL, "/")+"/", r.CA
	planned.CheckInterval = time.Duration(r.CheckIntervalSeconds) * time.Second
	if r.MaxRate != "" {
		rate, err := ParseBytes(r.MaxRate)
		if err != nil {
			return Update{}, fmt.Errorf("cannot plan update repository %q: %w", r.URL, err)
		}
		planned.MaxRateBytes = rate
	}
	return planned, nil
}

// UpdateTimes returns the probation and the deadline that a document means.
func UpdateTimes(doc v1alpha1.Update) (probation, deadline time.Duration) {
	return seconds(doc.ProbationSeconds, defaultProbationSeconds), seconds(doc.DeadlineSeconds, defaultDeadlineSeconds)
}

func planChecks(doc []v1alpha1.UpdateCheck) []Check {
	var planned []Check
	for _, d := range doc {
		c := Check{
			Name:    d.Name,
			Period:  time.Duration(cmp.Or(d.PeriodSeconds, defaultCheckSeconds)) * time.Second,
			Timeout: time.Duration(cmp.Or(d.TimeoutSeconds, defaultCheckSeconds)) * time.Second,
		}
		switch {
		case d.HTTPGet != nil:
			c.HTTP = probeURL(*d.HTTPGet)
		case d.Exec != nil:
			c.Container, c.Exec = d.Exec.Container, slices.Clone(d.Exec.Command)
		}
		planned = append(planned, c)
	}
	return planned
}

func seconds(given *int, otherwise int) time.Duration {
	if given != nil {
		otherwise = *given
	}
	return time.Duration(otherwise) * time.Second
}
