// Command pod-standard reads pods as a JSON list on stdin and prints, as JSON, what each of them breaks of the "restricted"
// pod security standard, by the evaluator that the Kubernetes API server uses.
package main

import (
	"encoding/json"
	"fmt"
	"os"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/pod-security-admission/api"
	"k8s.io/pod-security-admission/policy"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run() error {
	var pods []corev1.Pod
	decoder := json.NewDecoder(os.Stdin)
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&pods); err != nil {
		return err
	}
	evaluator, err := policy.NewEvaluator(policy.DefaultChecks(), nil)
	if err != nil {
		return err
	}
	restricted := api.LevelVersion{Level: api.LevelRestricted, Version: api.LatestVersion()}
	broken := make([][]string, len(pods))
	for i, pod := range pods {
		broken[i] = []string{}
		for _, result := range evaluator.EvaluatePod(restricted, &pod.ObjectMeta, &pod.Spec) {
			if !result.Allowed {
				broken[i] = append(broken[i], result.ForbiddenReason+": "+result.ForbiddenDetail)
			}
		}
	}
	return json.NewEncoder(os.Stdout).Encode(broken)
}
