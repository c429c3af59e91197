"""A portrait service under test: started, watched through its metrics, killed or stopped."""
import atexit
import collections
import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request


SKIPPED = 77  # to ctest

Recovery = collections.namedtuple("Recovery", "partition rows_restored steps_replayed seconds")


def recoveries(log_text):
    """The recoveries of tasks that a log tells of, in its order."""
    found = re.findall(r"task recovered partition=(\d+) rows_restored=(\d+) steps_replayed=(\d+) last_step=\d+ seconds=(\S+)", log_text)
    return [Recovery(int(partition), int(rows), int(steps), float(seconds)) for partition, rows, steps, seconds in found]


def run_command(program, *words, succeeds=True):
    """Runs a command of the program to its end, and says what it printed."""
    print("+ portrait", *words, flush=True)
    done = subprocess.run([program, *words], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    text = done.stdout.decode(errors="replace")
    assert (done.returncode == 0) == succeeds, text
    return text


def real_brokers():
    """Where a real broker is; without one the test is skipped."""
    brokers = os.environ.get("PORTRAIT_TEST_BROKERS")
    if not brokers:
        print("skipped: needs a real broker in PORTRAIT_TEST_BROKERS")
        sys.exit(SKIPPED)
    return brokers


@contextlib.contextmanager
def folder_with_log():
    """A folder for a test, and a log for its processes, whose end is shown when the test fails."""
    with tempfile.TemporaryDirectory() as folder, open(os.path.join(folder, "log"), "wb") as log:
        try:
            yield folder, log
        except BaseException:
            log.flush()
            sys.stdout.write(open(log.name, errors="replace").read()[-6000:])
            raise


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def write_config(folder, application, brokers, outputs=("tag-changes", "churn-alerts", "dead-letters"), **more):
    """A configuration whose results go to JSON topics of the application's own."""
    port = free_port()
    path = os.path.join(folder, application + ".yaml")
    lines = [
        f"application: {{id: {application}}}",
        f"brokers: {brokers}",
        f"state: {{dir: {os.path.join(folder, 'state')}}}",
        "clock: event",
        f"http: {{listen: '127.0.0.1:{port}'}}",
        "outputs:",
    ]
    for output in outputs:
        lines.append(f"  {output}: {{topic: {application}.{output}, format: json}}")
    lines += [f"{key}: {value}" for key, value in more.items()]
    with open(path, "w") as file:
        file.write("\n".join(lines) + "\n")
    return path, port


class Portrait:
    def __init__(self, program, config, port, log):
        self.program, self.config, self.port, self.log = program, config, port, log
        self.process = None
        atexit.register(self.kill_if_alive)  # whatever becomes of the test

    def start(self):
        self.process = subprocess.Popen([self.program, "run", "--config", self.config], stdout=self.log, stderr=self.log)

    def metrics(self):
        """name{labels} -> value; nothing while it does not answer."""
        try:
            text = urllib.request.urlopen(f"http://127.0.0.1:{self.port}/metrics", timeout=2).read().decode()
        except OSError:
            return {}
        found = {}
        for line in text.splitlines():
            match = re.match(r"^(\w+(?:\{[^}]*\})?) (\S+)$", line)
            if match:
                found[match.group(1)] = float(match.group(2))
        return found

    def ready(self):
        try:
            return urllib.request.urlopen(f"http://127.0.0.1:{self.port}/readyz", timeout=2).status == 200
        except OSError:
            return False

    def total(self, name):
        return sum(value for key, value in self.metrics().items() if key.split("{")[0] == name)

    def wait_until(self, condition, what, seconds=300, pause=0.02):
        deadline = time.time() + seconds
        while time.time() < deadline:
            if self.process.poll() is not None:
                raise AssertionError(f"portrait ended with {self.process.returncode} while waiting for: {what}")
            if condition():
                return
            time.sleep(pause)
        raise AssertionError(f"not within {seconds} s: {what}")

    def wait_until_done(self, seconds=300):
        """Everything that the sources hold is applied and committed."""
        self.wait_until(self.ready, "ready", seconds)
        quiet = [0, -1.0]

        def done():
            metrics = self.metrics()
            lag = [v for k, v in metrics.items() if k.startswith("portrait_lag_records")]
            steps = metrics.get("portrait_steps_total", -1)
            quiet[0] = quiet[0] + 1 if lag and sum(lag) == 0 and steps == quiet[1] else 0
            quiet[1] = steps
            return quiet[0] >= 15

        self.wait_until(done, "no lag", seconds, pause=0.1)

    def kill_if_alive(self):
        if self.process is not None and self.process.poll() is None:
            self.kill()

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        began = time.time()
        code = self.process.wait(timeout=30)
        assert code == 0, f"portrait ended with {code}"
        return time.time() - began


def read_topic(brokers, topic):
    """All committed records of a topic, as JSON."""
    out = subprocess.run(
        ["kcat", "-C", "-b", brokers, "-t", topic, "-e", "-q", "-X", "isolation.level=read_committed", "-f", "%s\n"],
        check=True, capture_output=True, timeout=120).stdout
    return [json.loads(line) for line in out.decode().splitlines()]


def results(brokers, application):
    """id -> result without its emission time, over all outputs; a result that stands twice is an error."""
    found = {}
    for output in ("tag-changes", "churn-alerts", "dead-letters"):
        for result in read_topic(brokers, f"{application}.{output}"):
            result["info"].pop("emission_time_us")
            assert result["info"]["id"] not in found, f"stands twice: {result['info']['id']} in {output}"
            found[result["info"]["id"]] = (output, result)
    return found
