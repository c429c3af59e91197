"""The files for operators in deploy/: deploy_test.py PORTRAIT

Nothing is started here: each file is held to its schema, and to what the program knows. docs/deployment.md says what has been
run and what has not. The schemas come from Python packages, promtool from Debian's package prometheus; both are fetched once
and kept in ${XDG_CACHE_HOME:-~/.cache}/portrait/deploy-test.
"""
import glob
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest
import zipfile

PORTRAIT = sys.argv[1]
ROOT = pathlib.Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
CACHE = pathlib.Path(os.environ.get("XDG_CACHE_HOME", pathlib.Path.home() / ".cache")) / "portrait" / "deploy-test"
PACKAGES = ["kubernetes-validate==1.31.0", "PyYAML==6.0.2"]
COMPOSE = "docker-compose==1.29.2"  # for the schema in it: the last release that is a Python package


def fetched():
    """The folder of the Python packages; fetched when it is not there."""
    folder = CACHE / re.sub(r"\W+", "-", "-".join([*PACKAGES, COMPOSE]))
    if not folder.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        part = tempfile.mkdtemp(dir=CACHE)
        pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, "install", "--target", part, *PACKAGES], check=True)
        subprocess.run([*pip, "download", "--no-deps", "--dest", part, COMPOSE], check=True)
        with zipfile.ZipFile(glob.glob(f"{part}/docker_compose-*.whl")[0]) as wheel:
            pathlib.Path(part, "compose_spec.json").write_bytes(wheel.read("compose/config/compose_spec.json"))
        os.rename(part, folder)
    return folder


LIBRARIES = fetched()
sys.path.insert(0, str(LIBRARIES))
import jsonschema  # noqa: E402
import kubernetes_validate  # noqa: E402
import yaml  # noqa: E402


def promtool():
    program = CACHE / "prometheus" / "usr" / "bin" / "promtool"
    if not program.exists():
        with tempfile.TemporaryDirectory() as folder:
            subprocess.run(["apt-get", "download", "-qq", "prometheus"], cwd=folder, check=True)
            subprocess.run(["dpkg", "-x", *glob.glob(f"{folder}/*.deb"), CACHE / "prometheus"], check=True)
    return program


def checked(*command, **environment):
    """What it printed; a failure shows that."""
    done = subprocess.run(command, text=True, capture_output=True, check=False, env={**os.environ, **environment})
    assert done.returncode == 0, f"{command} ended with {done.returncode}:\n{done.stdout}{done.stderr}"
    return done.stdout


def load(name):
    with open(DEPLOY / name, encoding="utf-8") as file:
        return list(yaml.safe_load_all(file))


def check_configuration(text, **environment):
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
        file.write(text)
        file.flush()
        return checked(PORTRAIT, "check", file.name, **environment)


def panels():
    return [panel for panel in json.loads((DEPLOY / "grafana/portrait.json").read_text())["panels"] if panel["type"] != "row"]


def expressions():
    """(where, PromQL) of every panel and every alert."""
    for panel in panels():
        for target in panel["targets"]:
            yield panel["title"], target["expr"]
    for rule in load("prometheus/alerts.yaml")[0]["groups"][0]["rules"]:
        yield rule["alert"], rule["expr"]


def served():
    """Metric -> its labels, as docs/metrics.md has them; a unit test holds that table to the registry behind /metrics."""
    found = {}
    for line in (ROOT / "docs/metrics.md").read_text().splitlines():
        cells = [cell.strip() for cell in line.split("|")]
        if len(cells) == 6 and cells[1].startswith("`portrait_"):
            name, kind, labels = cells[1].strip("`"), cells[2], {label.strip() for label in cells[3].split(",") if label.strip()}
            for suffix in ("_bucket", "_sum", "_count") if kind == "histogram" else ("",):
                found[name + suffix] = labels | ({"le"} if suffix == "_bucket" else set())
    return found


class Metrics(unittest.TestCase):
    def test_every_metric_and_label_that_is_asked_for_is_served(self):
        known = served()
        for where, expression in expressions():
            for name, selector in re.findall(r"\b(portrait_\w+)(\{[^}]*\})?", expression):
                self.assertIn(name, known, where)
                for label in re.findall(r"(\w+)\s*(?:=~|!~|!=|=)", selector):
                    self.assertIn(label, known[name] | {"instance", "job"}, f"{where}: {name}")
            for group in re.findall(r"\bby \(([^)]*)\)", expression):
                mentioned = set().union(*(known[name] for name in re.findall(r"\bportrait_\w+", expression)), {"instance", "job"})
                self.assertLessEqual({label.strip() for label in group.split(",")}, mentioned, where)

    def test_every_metric_is_on_the_dashboard(self):
        shown = set(re.findall(r"\bportrait_\w+", " ".join(expression for _, expression in expressions())))
        missing = {name.removesuffix("_bucket") for name in served() if not name.endswith(("_sum", "_count")) and name not in shown}
        self.assertEqual({name for name in missing if not name.startswith("portrait_http_")}, set())


class Prometheus(unittest.TestCase):
    def test_promtool_accepts_rules_and_configuration_and_each_alert_fires_on_its_example(self):
        checked(promtool(), "check", "config", DEPLOY / "prometheus/prometheus.yaml")
        checked(promtool(), "test", "rules", DEPLOY / "prometheus/alerts.test.yaml")

    def test_every_alert_has_an_example_and_says_what_to_do(self):
        examples = (DEPLOY / "prometheus/alerts.test.yaml").read_text()
        for rule in load("prometheus/alerts.yaml")[0]["groups"][0]["rules"]:
            self.assertIn(f'alertname="{rule["alert"]}"', examples)
            self.assertIn(rule["labels"]["severity"], ("page", "ticket"))
            self.assertTrue(rule["annotations"]["summary"] and rule["annotations"]["description"])

    def test_the_sections_that_alerts_name_are_in_the_documents(self):
        for document, section in re.findall(r'(docs/[\w-]+\.md), "([^"]+)"', (DEPLOY / "prometheus/alerts.yaml").read_text()):
            self.assertIn(f"## {section}\n", (ROOT / document).read_text())


class Grafana(unittest.TestCase):
    def test_promtool_accepts_the_expression_of_every_panel(self):
        rules = [{"record": f"panel:{index}", "expr": target["expr"].replace("$__rate_interval", "1m")}
                 for index, panel in enumerate(panels()) for target in panel["targets"]]
        with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
            yaml.safe_dump({"groups": [{"name": "dashboard", "rules": [
                {**rule, "labels": {"number": str(number)}} for number, rule in enumerate(rules)]}]}, file)
            self.assertIn(f"{len(rules)} rules found", checked(promtool(), "check", "rules", file.name))

    def test_panels_have_their_own_place_and_number(self):
        everything = json.loads((DEPLOY / "grafana/portrait.json").read_text())["panels"]
        self.assertEqual(len({panel["id"] for panel in everything}), len(everything))
        taken = {}
        for panel in everything:
            place = panel["gridPos"]
            self.assertLessEqual(place["x"] + place["w"], 24, panel["title"])
            for x in range(place["x"], place["x"] + place["w"]):
                for y in range(place["y"], place["y"] + place["h"]):
                    self.assertIsNone(taken.get((x, y)), f"{panel['title']} lies over {taken.get((x, y))}")
                    taken[x, y] = panel["title"]


class Compose(unittest.TestCase):
    def setUp(self):
        self.compose = load("compose.yaml")[0]

    def test_the_file_keeps_its_schema(self):
        jsonschema.Draft7Validator(json.loads((LIBRARIES / "compose_spec.json").read_text())).validate(self.compose)

    def test_what_is_mounted_depended_on_and_built_is_there(self):
        for name, service in self.compose["services"].items():
            for volume in service.get("volumes", []):
                source = volume.split(":")[0]
                if source.startswith("."):
                    self.assertTrue((DEPLOY / source).exists(), f"{name}: {volume}")
                else:
                    self.assertIn(source, self.compose["volumes"], name)
            self.assertLessEqual(set(service.get("depends_on", [])), set(self.compose["services"]), name)
            self.assertRegex(service["image"], r"^portrait$|:v?\d", f"{name}: an image has its version")
            for port in service.get("ports", []):
                self.assertTrue(port.startswith("127.0.0.1:"), f"{name}: {port} is open to others")
        build = self.compose["services"]["portrait"]["build"]
        self.assertTrue((DEPLOY / build["context"] / build["dockerfile"]).is_file())

    def test_the_program_takes_its_configuration_and_its_commands(self):
        text = (DEPLOY / "compose/portrait.yaml").read_text()
        self.assertIn("kafka:9092", check_configuration(text, PORTRAIT_TOKEN="a-token-of-this-test"))
        (command, *options) = self.compose["services"]["topics"]["command"]
        told = checked(PORTRAIT, command, "--help")
        for option in options:
            self.assertTrue(not option.startswith("--") or option in told, option)
        self.assertEqual(load("prometheus/prometheus.yaml")[0]["scrape_configs"][0]["static_configs"][0]["targets"],
                         ["portrait:" + re.search(r"listen: \S+:(\d+)", text).group(1)])


class Dockerfile(unittest.TestCase):
    def setUp(self):
        text = re.sub(r"\\\n", " ", (DEPLOY / "Dockerfile").read_text())
        self.lines = [line.split(None, 1) for line in text.splitlines() if line and not line.startswith("#")]

    def last(self, instruction):
        return [rest for name, rest in self.lines if name == instruction][-1]

    def test_it_runs_small_and_as_nobody(self):
        self.assertTrue(self.last("FROM").endswith("-slim"))
        self.assertRegex(self.last("USER"), r"^[1-9]\d*:[1-9]\d*$")
        instructions = [name for name, _ in self.lines]
        self.assertEqual(instructions.count("FROM"), 2)
        last_stage = instructions[len(instructions) - instructions[::-1].index("FROM"):]
        self.assertFalse({"COPY", "ADD"} & set(last_stage), "nothing of the sources is in the image")

    def test_what_it_starts_is_a_command_of_the_program(self):
        self.assertEqual(json.loads(self.last("ENTRYPOINT")), ["portrait"])
        command, option, _ = json.loads(self.last("CMD"))
        self.assertIn(option, checked(PORTRAIT, command, "--help"))


class Kubernetes(unittest.TestCase):
    def setUp(self):
        self.things = {}
        for path in sorted((DEPLOY / "kubernetes").glob("*.yaml")):
            for thing in load(path):
                self.assertNotIn(thing["kind"], self.things, "one of each kind")
                self.things[thing["kind"]] = thing
        self.set = self.things["StatefulSet"]
        self.pod = self.set["spec"]["template"]["spec"]
        self.container = self.pod["containers"][0]

    def test_every_file_keeps_the_schema_of_its_kind(self):
        for kind, thing in self.things.items():
            with self.subTest(kind):
                kubernetes_validate.validate(thing, "1.31", strict=True)

    def test_what_names_the_pods_names_those(self):
        labels = self.set["spec"]["template"]["metadata"]["labels"]
        for selector in (self.set["spec"]["selector"]["matchLabels"], self.things["Service"]["spec"]["selector"],
                         self.things["PodDisruptionBudget"]["spec"]["selector"]["matchLabels"]):
            self.assertEqual(selector, labels)
        self.assertEqual(self.set["spec"]["serviceName"], self.things["Service"]["metadata"]["name"])
        target = self.things["HorizontalPodAutoscaler"]["spec"]["scaleTargetRef"]
        self.assertEqual((target["kind"], target["name"]), ("StatefulSet", self.set["metadata"]["name"]))
        self.assertNotIn("replicas", self.set["spec"])
        metric = self.things["HorizontalPodAutoscaler"]["spec"]["metrics"][0]["external"]["metric"]["name"]
        self.assertIn(metric, served())
        namespaces = {thing["metadata"].get("namespace") for kind, thing in self.things.items() if kind != "Namespace"}
        self.assertEqual(namespaces, {self.things["Namespace"]["metadata"]["name"]})

    def test_probes_ask_what_the_program_answers(self):
        port = {entry["name"]: entry["containerPort"] for entry in self.container["ports"]}
        for probe, path in (("livenessProbe", "/healthz"), ("readinessProbe", "/readyz")):
            asked = self.container[probe]["httpGet"]
            self.assertEqual((asked["path"], port[asked["port"]]), (path, 8080))

    def test_nothing_runs_as_root(self):
        for pod in (self.pod, self.things["Job"]["spec"]["template"]["spec"]):
            self.assertTrue(pod["securityContext"]["runAsNonRoot"])
            for container in pod["containers"]:
                self.assertFalse(container["securityContext"]["allowPrivilegeEscalation"])
                self.assertTrue(container["securityContext"]["readOnlyRootFilesystem"])
                self.assertEqual(container["securityContext"]["capabilities"], {"drop": ["ALL"]})

    def test_the_configuration_fits_the_pods(self):
        text = self.things["ConfigMap"]["data"]["portrait.yaml"]
        settings = yaml.safe_load(text)
        with tempfile.NamedTemporaryFile("w", suffix=".yaml") as tokens:  # in place of what is mounted
            tokens.write("[{name: test, role: reader, token: a-token-of-this-test}]")
            tokens.flush()
            check_configuration(text.replace(settings["view"]["tokens_file"], tokens.name), POD_NAME="portrait-0")
        self.assertIn(os.path.dirname(settings["view"]["tokens_file"]), [mount["mountPath"] for mount in self.container["volumeMounts"]])
        self.assertEqual(settings["instance"]["id"], "${POD_NAME}")
        self.assertEqual(self.container["env"][0]["valueFrom"]["fieldRef"]["fieldPath"], "metadata.name")
        mounts = [mount["mountPath"] for mount in self.container["volumeMounts"]]
        self.assertTrue(any(settings["state"]["dir"].startswith(mount + "/") for mount in mounts))
        partitions = int(self.things["Job"]["spec"]["template"]["spec"]["containers"][0]["args"][3])
        pods = self.things["HorizontalPodAutoscaler"]["spec"]["maxReplicas"]
        self.assertLessEqual(pods * settings["workers"], partitions, "a worker without a partition is idle")
        limit_bytes = int(settings["memory"]["limit"].removesuffix("MB")) * 1_000_000
        self.assertLessEqual(limit_bytes * 4 / 3, int(self.container["resources"]["limits"]["memory"].removesuffix("Gi")) * 2**30)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
