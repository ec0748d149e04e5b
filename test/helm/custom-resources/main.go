// Command custom-resources reads objects of custom kinds as a JSON list on stdin and prints, as a JSON list, what is wrong
// with each (null: nothing), by the Go types that their operators themselves read them with: a field that is not theirs or
// is of another type. What only the API server checks (required fields, patterns) is not looked at.
package main

import (
	stdjson "encoding/json"
	"errors"
	"fmt"
	"os"

	monitoringv1 "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"
	"sigs.k8s.io/json"
)

type kind struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
}

var types = map[kind]func() any{
	{"gateway.networking.k8s.io/v1", "HTTPRoute"}:  func() any { return &gatewayv1.HTTPRoute{} },
	{"monitoring.coreos.com/v1", "ServiceMonitor"}: func() any { return &monitoringv1.ServiceMonitor{} },
	{"monitoring.coreos.com/v1", "PrometheusRule"}: func() any { return &monitoringv1.PrometheusRule{} },
}

func main() {
	var objects []stdjson.RawMessage
	if err := stdjson.NewDecoder(os.Stdin).Decode(&objects); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	problems := make([]*string, len(objects))
	for i, object := range objects {
		if err := check(object); err != nil {
			text := err.Error()
			problems[i] = &text
		}
	}
	if err := stdjson.NewEncoder(os.Stdout).Encode(problems); err != nil {
		os.Exit(1)
	}
}

func check(object []byte) error {
	var name kind
	if err := json.UnmarshalCaseSensitivePreserveInts(object, &name); err != nil {
		return err
	}
	make, isKnown := types[name]
	if !isKnown {
		return fmt.Errorf("%s %s is not a kind that is known here", name.APIVersion, name.Kind)
	}
	strict, err := json.UnmarshalStrict(object, make())
	return errors.Join(append(strict, err)...)
}
