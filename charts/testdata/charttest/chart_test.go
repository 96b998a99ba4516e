// Package charttest renders the Helm chart and decodes it strictly into the
// API's own types. It is a separate module, so that the bot's module does not
// need Kubernetes.
package charttest

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"helm.sh/helm/v4/pkg/chart/common"
	"helm.sh/helm/v4/pkg/chart/common/util"
	"helm.sh/helm/v4/pkg/chart/v2/loader"
	"helm.sh/helm/v4/pkg/engine"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer/json"

	"dhbot/internal/config"
)

const chartDir = "../../dhbot"

// render renders the chart with a file of values, some of them overridden.
func render(file string, override map[string]any) (map[string]string, error) {
	chart, err := loader.Load(chartDir)
	if err != nil {
		return nil, err
	}
	values, err := common.ReadValuesFile(filepath.Join(chartDir, "ci", file))
	if err != nil {
		return nil, err
	}
	maps.Copy(values, override)
	all, err := util.ToRenderValues(chart, values, common.ReleaseOptions{Name: "bot", Namespace: "ops", Revision: 1, IsInstall: true}, common.DefaultCapabilities)
	if err != nil {
		return nil, err
	}
	return engine.Render(chart, all)
}

// decode reads every rendered object, and fails for a field that the API does
// not have. Kinds of other projects are left out.
func decode(t *testing.T, file string) []runtime.Object {
	t.Helper()
	out, err := render(file, nil)
	if err != nil {
		t.Fatal(err)
	}
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{appsv1.AddToScheme, corev1.AddToScheme, networkingv1.AddToScheme, policyv1.AddToScheme} {
		if err := add(scheme); err != nil {
			t.Fatal(err)
		}
	}
	strict := json.NewSerializerWithOptions(json.DefaultMetaFactory, scheme, scheme, json.SerializerOptions{Yaml: true, Strict: true})
	var objects []runtime.Object
	for _, name := range slices.Sorted(maps.Keys(out)) {
		text := out[name]
		if strings.TrimSpace(text) == "" || !strings.HasSuffix(name, ".yaml") || strings.Contains(text, "monitoring.coreos.com") {
			continue
		}
		o, _, err := strict.Decode([]byte(text), nil, nil)
		if err != nil {
			t.Errorf("%s: %v\n%s", name, err, text)
			continue
		}
		objects = append(objects, o)
	}
	return objects
}

func find[T runtime.Object](t *testing.T, list []runtime.Object) T {
	t.Helper()
	for _, o := range list {
		if found, ok := o.(T); ok {
			return found
		}
	}
	var none T
	t.Fatalf("there is no %T", none)
	return none
}

func TestShapes(t *testing.T) {
	for _, c := range []struct {
		file     string
		replicas int32
		volumes  int // claims
	}{{"embedded.yaml", 1, 1}, {"external.yaml", 3, 1}} {
		t.Run(c.file, func(t *testing.T) {
			list := decode(t, c.file)
			set := find[*appsv1.StatefulSet](t, list)
			if *set.Spec.Replicas != c.replicas || len(set.Spec.VolumeClaimTemplates) != c.volumes {
				t.Errorf("%d replicas, %d claims", *set.Spec.Replicas, len(set.Spec.VolumeClaimTemplates))
			}
			if pdb := find[*policyv1.PodDisruptionBudget](t, list); pdb.Spec.MaxUnavailable.IntValue() != 1 {
				t.Errorf("PodDisruptionBudget: %+v", pdb.Spec)
			}
			checkPod(t, set.Spec.Template.Spec, set.Spec.VolumeClaimTemplates)
			checkConfig(t, find[*corev1.ConfigMap](t, list).Data["config.yaml"])
			checkNotes(t, set, find[*corev1.ConfigMap](t, list).Data["config.yaml"])
		})
	}
}

func checkPod(t *testing.T, pod corev1.PodSpec, claims []corev1.PersistentVolumeClaim) {
	t.Helper()
	bot := pod.Containers[0]
	for want, probe := range map[string]*corev1.Probe{"/healthz": bot.LivenessProbe, "/readyz": bot.ReadinessProbe} {
		if probe == nil || probe.HTTPGet.Path != want || probe.HTTPGet.Port.String() != bot.Ports[0].Name {
			t.Errorf("probe of %s: %+v", want, probe)
		}
	}
	s := bot.SecurityContext
	if !*s.ReadOnlyRootFilesystem || *s.AllowPrivilegeEscalation || len(s.Capabilities.Drop) != 1 || !*pod.SecurityContext.RunAsNonRoot {
		t.Errorf("security: %+v %+v", s, pod.SecurityContext)
	}
	volumes := map[string]bool{}
	for _, c := range claims {
		volumes[c.Name] = true
	}
	for _, v := range pod.Volumes {
		volumes[v.Name] = true
	}
	for _, m := range bot.VolumeMounts {
		if !volumes[m.Name] {
			t.Errorf("%s is mounted but is not a volume", m.Name)
		}
	}
	for _, e := range bot.Env {
		if strings.Contains(e.Value, "xox") || strings.Contains(e.Value, "xapp-") {
			t.Errorf("%s holds a secret", e.Name)
		}
	}
}

// checkConfig parses the config of the pods with the bot's own parser.
func checkConfig(t *testing.T, text string) {
	t.Helper()
	cfg, problems := config.Parse("config.yaml", []byte(text))
	if problems.Fatal() {
		t.Fatalf("%v\n%s", problems, text)
	}
	if cfg.State.Dir != "/var/lib/dhbot" || cfg.Metrics.Listen != "0.0.0.0:9095" {
		t.Errorf("state %q, metrics %q", cfg.State.Dir, cfg.Metrics.Listen)
	}
}

// checkNotes checks that the notes of sent steps are in a directory that can be
// written and outlasts the pod: a mount of a claim.
func checkNotes(t *testing.T, set *appsv1.StatefulSet, text string) {
	t.Helper()
	cfg, _ := config.Parse("config.yaml", []byte(text))
	dir := cfg.State.NotesDir
	if dir == "" {
		dir = filepath.Dir(cfg.State.KeyFile)
	}
	claim := set.Spec.VolumeClaimTemplates[0].Name
	if !slices.ContainsFunc(set.Spec.Template.Spec.Containers[0].VolumeMounts, func(m corev1.VolumeMount) bool {
		return m.Name == claim && m.MountPath == dir && !m.ReadOnly
	}) {
		t.Errorf("the notes are in %s, which is not a mount of the claim %s", dir, claim)
	}
}

// TestRefused checks that values that cannot work are refused with a text that says what to
// write.
func TestRefused(t *testing.T) {
	for want, override := range map[string]map[string]any{
		"name it in config.state.etcd":        {"replicas": 3},
		"name the Secret with the tokens":     {"existingSecret": ""},
		"write the bot's config file here":    {"config": map[string]any{}},
		"config.state.key_file is empty":      {"replicas": 2, "config": etcdConfig("")},
		"Slack allows ten sockets, and each ": {"replicas": 5, "config": etcdConfig("/etc/dhbot/secret/state.key")},
	} {
		if _, err := render("embedded.yaml", override); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q: %v", want, err)
		}
	}
}

func etcdConfig(key string) map[string]any {
	state := map[string]any{"etcd": map[string]any{"endpoints": []any{"https://e:2379"}}}
	if key != "" {
		state["key_file"] = key
	}
	return map[string]any{"state": state}
}

func TestMain(m *testing.M) {
	if _, err := os.Stat(chartDir); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}
