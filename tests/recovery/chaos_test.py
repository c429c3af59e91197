#!/usr/bin/env python3
"""The real thing: several portrait processes on a real Kafka, while everything that can die does. Afterwards

- each record of each source stands in exactly one run of the journal, in order (journal_check.py);
- each result stands in its topic once, and as many as the journal counts;
- all results, byte for byte but for the time of emission, are those of one process that was left alone.

  chaos_test.py PORTRAIT                      two million events, some 15 minutes
  chaos_test.py PORTRAIT --events 60000 --minutes 1.5 --kills 4 --broker-kills 1 --pause 20 --hand-over 30
  chaos_test.py PORTRAIT --standbys 1 ...     with warm standbys

It starts a broker of its own, kills it too, and deletes everything when all is well; when not, it keeps the folder and
names it. The backlog is there from the start and each process is held to a share of it by a quota of the broker: so the
order of application follows from the input, and results can be compared exactly.
"""
import argparse
import glob
import hashlib
import json
import os
import random
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time

from journal_check import check, read_journal, read_offsets
from portrait_process import Portrait, free_port, recoveries

ROOT = os.path.normpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
SOURCES = ("browsing-events", "email-events", "purchase-events", "service-events", "profile-events")
OUTPUTS = ("tag-changes", "churn-alerts", "dead-letters")
SESSION_S = 10
BEGAN = time.time()


def say(*words):
    print(f"{time.time() - BEGAN:7.1f}", *words, flush=True)


class Broker:
    def __init__(self, folder):
        self.folder = folder
        self.address = None

    def script(self, command, *more):
        out = subprocess.run([os.path.join(ROOT, "deploy/kafka/local.sh"), command, "--dir", self.folder, *more],
                             check=True, capture_output=True, text=True, timeout=300).stdout
        return out.split()[-1]

    def start(self):
        """Again on the same port. On a busy machine it may take longer than the script waits."""
        os.makedirs(self.folder, exist_ok=True)
        first = not os.path.exists(os.path.join(self.folder, "port"))
        for patience in (3, 2, 1, 0):
            try:
                self.address = self.script("start", *(["--port", "0"] if first else []))
                return
            except subprocess.CalledProcessError:
                if patience == 0:
                    raise

    def kill(self):
        self.script("kill")

    def stop(self):
        self.script("stop")

    def set_quota(self, client_ids, bytes_per_second):
        """How fast these clients may fetch; None: as they like."""
        cache = os.path.join(os.environ.get("XDG_CACHE_HOME", os.path.expanduser("~/.cache")), "portrait")
        sums = hashlib.sha256(open(os.path.join(ROOT, "deploy/kafka/pom.xml"), "rb").read()).hexdigest()[:12]
        change = (["--add-config", f"consumer_byte_rate={bytes_per_second}"] if bytes_per_second
                  else ["--delete-config", "consumer_byte_rate"])
        changes = [subprocess.Popen(["java", "-Xmx128m", "-cp", f"{cache}/kafka-{sums}/*", "kafka.admin.ConfigCommand",
                                     "--bootstrap-server", self.address, "--alter", *change, "--entity-type", "clients",
                                     "--entity-name", client], stdout=subprocess.DEVNULL) for client in client_ids]
        assert all(change.wait(timeout=300) == 0 for change in changes), "the quota could not be set"


class Instance(Portrait):
    """One of the processes: up, down until a moment, or paused until a moment."""

    def __init__(self, number, arguments, folder, application, brokers, log):
        self.name = f"{application}-{number}"
        port = free_port()
        config = os.path.join(folder, self.name + ".yaml")
        lines = [f"application: {{id: {application}}}", f"instance: {{id: {self.name}}}", f"brokers: {brokers}",
                 f"state: {{dir: {os.path.join(folder, self.name)}}}", "clock: event", "merge: {wait: 60s}",
                 "journal: {trim: {interval: 365d}}",  # all of it is read at the end
                 f"session: {{timeout: {SESSION_S}s}}", f"http: {{listen: '127.0.0.1:{port}'}}",
                 # Small fetches of small batches, so that the quota is felt evenly: a source that is starved for longer than
                 # merge.wait would no longer be waited for, and the order would depend on the moment.
                 "kafka: {fetch.message.max.bytes: 32768, batch.size: 16384}"]
        if arguments.standbys:
            lines.append(f"standby: {{replicas: {arguments.standbys}}}")
        lines += ["outputs:"] + [f"  {output}: {{topic: {application}.{output}, format: json}}" for output in OUTPUTS]
        with open(config, "w") as file:
            file.write("\n".join(lines) + "\n")
        super().__init__(arguments.portrait, config, port, log)
        self.back_at = None    # down until then
        self.awake_at = None   # paused until then
        self.started_at = None
        self.exits = 0

    @property
    def up(self):
        return self.back_at is None and self.awake_at is None

    def start(self):
        super().start()
        self.back_at, self.started_at = None, time.time()

    def mind(self):
        """Comes back when it is time; must not have ended by itself."""
        now = time.time()
        if self.back_at is not None and now >= self.back_at:
            say("start", self.name)
            self.start()
        if self.awake_at is not None and now >= self.awake_at:
            say("continue", self.name)
            self.process.send_signal(signal.SIGCONT)
            self.awake_at = None
        if self.back_at is None and self.process.poll() is not None:
            raise AssertionError(f"{self.name} ended by itself with {self.process.returncode}")


class Chaos:
    def __init__(self, arguments, broker, instances, rng):
        self.arguments, self.broker, self.instances, self.rng = arguments, broker, instances, rng
        self.kills = []  # (moment, instance, seconds until started again, 0 = by itself at once)
        self.broker_kills, self.hand_overs, self.pauses = [], [], []

    def choose(self):
        up = [i for i in self.instances if i.up]
        # One at least goes on working, so that partitions do move.
        return self.rng.choice(up) if len(up) > 1 else None

    def kill(self):
        instance = self.choose()
        if instance is None:
            return False
        instance.kill()
        down = 0 if self.rng.random() < 0.5 else SESSION_S + self.rng.uniform(1, 6)
        instance.back_at = time.time() + down
        self.kills.append((time.time(), instance, down))
        say(f"kill -9 {instance.name}, back in {down:.0f} s ({len(self.kills)} of {self.arguments.kills})")
        return True

    def kill_broker(self):
        self.broker_kills.append(time.time())
        say(f"kill -9 the broker ({len(self.broker_kills)} of {self.arguments.broker_kills})")
        self.broker.kill()
        self.broker.start()
        say(f"the broker answers again after {time.time() - self.broker_kills[-1]:.1f} s")
        return True

    def pause(self):
        instance = self.choose()
        if instance is None:
            return False
        say(f"pause {instance.name} for {self.arguments.pause:.0f} s")
        instance.process.send_signal(signal.SIGSTOP)
        instance.awake_at = time.time() + self.arguments.pause
        self.pauses.append((time.time(), instance))
        return True

    def hand_over(self):
        instance = self.choose()
        if instance is None or sum(i.up for i in self.instances) < len(self.instances) - 1:
            return False
        took = instance.stop()
        instance.back_at = time.time() + SESSION_S + 2  # so long that its partitions move
        self.hand_overs.append((time.time(), instance))
        say(f"stop {instance.name} cleanly (in {took:.1f} s), its partitions move")
        return True

    def plan(self):
        seconds = self.arguments.minutes * 60
        plan = [(self.rng.uniform(0.05, 0.92) * seconds, self.kill) for _ in range(self.arguments.kills)]
        plan += [((n + 0.7) / (self.arguments.broker_kills + 0.5) * 0.9 * seconds, self.kill_broker)
                 for n in range(self.arguments.broker_kills)]
        if self.arguments.pause:
            plan.append((0.3 * seconds, self.pause))
        plan += [(t, self.hand_over) for t in range(int(self.arguments.hand_over), int(0.95 * seconds), int(self.arguments.hand_over))]
        return sorted(plan, key=lambda event: event[0])

    def run(self):
        begin = time.time()
        plan = self.plan()
        while plan or not all(i.up for i in self.instances):
            for instance in self.instances:
                instance.mind()
            if plan and time.time() - begin >= plan[0][0]:
                moment, event = plan.pop(0)
                if not event():  # nobody to do it to now
                    plan = sorted(plan + [(time.time() - begin + 2, event)], key=lambda e: e[0])
            time.sleep(0.05)
        say("the chaos is over")


def wait_until_done(instances, seconds):
    deadline, quiet, steps_before = time.time() + seconds, 0, -1
    while quiet < 15:
        assert time.time() < deadline, f"not done within {seconds:.0f} s"
        for instance in instances:
            instance.mind()
        all_metrics = [instance.metrics() for instance in instances]
        lag = [v for m in all_metrics for k, v in m.items() if k.startswith("portrait_lag_records")]
        steps = sum(m.get("portrait_steps_total", 0) for m in all_metrics)
        done = all(all_metrics) and lag and sum(lag) == 0 and steps == steps_before and all(i.ready() for i in instances)
        quiet = quiet + 1 if done else 0
        steps_before = steps
        time.sleep(0.2)


def result_digests(brokers, application):
    """id -> digest of the result without its emission time"""
    found = {}
    for output in OUTPUTS:
        reader = subprocess.Popen(
            ["kcat", "-C", "-b", brokers, "-t", f"{application}.{output}", "-o", "beginning", "-e", "-q", "-X",
             "isolation.level=read_committed", "-f", "%s\n"], stdout=subprocess.PIPE)
        for line in reader.stdout:
            result = json.loads(line)
            result["info"].pop("emission_time_us")
            name = result["info"]["id"]
            assert name not in found, f"stands twice: {name} in {output}"
            found[name] = hashlib.sha256((output + json.dumps(result, sort_keys=True)).encode()).digest()[:16]
        assert reader.wait() == 0, f"kcat failed to read {output}"
    return found


def until_working_again(journal, moment, name):
    """Seconds until each partition of the dead had its next commit, by anybody: [(partition, seconds, by whom)]."""
    out = []
    for partition, entries in journal.items():
        before = [e for e in entries if e["timestamp_ms"] < moment * 1000]
        after = [e for e in entries if e["timestamp_ms"] >= moment * 1000]
        if before and after and f".{name}-worker-" in before[-1]["id"]["transactional_id"]:
            out.append((partition, after[0]["timestamp_ms"] / 1000 - moment, after[0]["id"]["transactional_id"]))
    return out


def shown(seconds):
    return f"median {statistics.median(seconds):.1f} s, most {max(seconds):.1f} s ({len(seconds)})" if seconds else "none"


def figures(chaos, journal, log):
    say("---- figures")
    text = open(log, errors="replace").read()
    generations = {int(n) for n in re.findall(r"partitions assigned .*?generation=(\d+)", text)}
    recovered = recoveries(text)
    say(f"{len(chaos.kills)} kills, {len(chaos.broker_kills)} of the broker, {len(chaos.pauses)} pauses, "
        f"{len(chaos.hand_overs)} hand-overs, {len(generations)} generations of the group")
    say(f"{len(recovered)} recoveries: {sum(r.steps_replayed for r in recovered)} steps replayed, "
        f"{sum(r.rows_restored for r in recovered)} rows restored, {shown([r.seconds for r in recovered])}; "
        f"{text.count('task goes on')} tasks went on warm")
    for outcome in ("committed", "not committed"):
        count = text.count(f"the commit of unknown outcome was {outcome}")
        if count:
            say(f"commits of unknown outcome that turned out {outcome}: {count}")
    again = {True: [], False: []}
    for moment, instance, down in chaos.kills:
        for _, seconds, by in until_working_again(journal, moment, instance.name):
            again[f".{instance.name}-worker-" in by].append(seconds)
    say("from kill -9 to the partition's next commit, restarted at once:", shown(again[True]))
    say(f"  ... taken over by another (session time-out {SESSION_S} s included):", shown(again[False]))


def run(arguments, folder, rng):
    run_name = f"chaos{os.getpid()}"
    broker = Broker(arguments.kafka or os.path.join(folder, "kafka"))
    broker.start()
    say("broker at", broker.address)
    log_path = os.path.join(folder, "chaos.log")
    instances = []
    try:
        with open(log_path, "wb") as log, open(os.path.join(folder, "calm.log"), "wb") as calm_log:
            shaken = [Instance(n, arguments, folder, run_name, broker.address, log) for n in range(1, arguments.processes + 1)]
            calm = Instance(0, arguments, folder, run_name + "-calm", broker.address, calm_log)
            instances = [calm, *shaken]
            play(arguments, broker, shaken, calm, rng, log_path)
    finally:
        for instance in instances:
            if instance.process is not None and instance.process.poll() is None:
                instance.process.kill()
                instance.process.wait()
        if not arguments.kafka:
            broker.stop()


def play(arguments, broker, shaken, calm, rng, log_path):
    for one in (calm, shaken[0]):
        create = [arguments.portrait, "topics", "--create", "--partitions", str(arguments.partitions), "--config", one.config]
        # A broker that is busy creating may answer too late; the second call finds what the first has made.
        assert any(subprocess.run(create, capture_output=True).returncode == 0 for _ in range(5)), "topics"
    customers = max(200, arguments.events // 100)
    subprocess.run([arguments.portrait, "generate", "--customers", str(customers), "--days", "3650", "--to", "2026-01-01",
                    "--seed", str(arguments.seed), "--dirt", "0.01", "--limit", str(arguments.events), "--config",
                    calm.config], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    offsets = read_offsets(broker.address, SOURCES)
    records = sum(len(there) for there in offsets.values())
    size = sum(os.path.getsize(f) for topic in SOURCES for f in glob.glob(f"{broker.folder}/data/{topic}-*/*.log"))
    say(f"{records} records of {customers} customers, {size / 1e6:.0f} MB")

    calm.start()
    wait_until_done([calm], 1800)
    say(f"left alone: {calm.metrics()['portrait_steps_total']:.0f} steps, {time.time() - calm.started_at:.0f} s")
    calm.stop()

    rate = int(size / (arguments.minutes * 60) / arguments.processes * 2)  # each death fetches anew
    clients = [f"{i.name}-worker-0" for i in shaken]
    broker.set_quota(clients, rate)
    say(f"{len(shaken)} processes, each held to {rate / 1e3:.0f} kB/s")
    for instance in shaken:
        instance.start()
    chaos = Chaos(arguments, broker, shaken, rng)
    chaos.run()
    left = sum(v for i in shaken for k, v in i.metrics().items() if k.startswith("portrait_lag_records"))
    say(f"{left:.0f} records are left")
    broker.set_quota(clients, None)
    wait_until_done(shaken, 1800)
    for instance in shaken:
        instance.stop()

    journal = read_journal(arguments.portrait, shaken[0].config)
    problems, applied = check(journal, offsets)
    say(f"journal: {sum(map(len, journal.values()))} entries, {applied} of {records} inputs; {len(problems)} problems")
    assert not problems, problems[:5]
    assert applied == records
    want, got = result_digests(broker.address, calm.name[:-2]), result_digests(broker.address, shaken[0].name[:-2])
    counted = sum(int(e["outputs"]) for entries in journal.values() for e in entries)
    missing, extra = want.keys() - got.keys(), got.keys() - want.keys()
    differing = [i for i in want.keys() & got.keys() if want[i] != got[i]]
    say(f"results: {len(want)} left alone, {len(got)} here, {counted} by the journal; "
        f"{len(missing)} missing, {len(extra)} extra, {len(differing)} differing")
    assert len(want) > 100, "too few results to say anything"
    assert not missing and not extra and not differing and counted == len(got)
    figures(chaos, journal, log_path)
    assert left > 0 or arguments.events < 1_000_000, "the backlog ended before the chaos did"
    say("nothing lost, nothing twice")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("portrait")
    parser.add_argument("--events", type=int, default=2_000_000)
    parser.add_argument("--minutes", type=float, default=12)
    parser.add_argument("--processes", type=int, default=3)
    parser.add_argument("--partitions", type=int, default=6)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--broker-kills", type=int, default=2)
    parser.add_argument("--pause", type=float, default=90, help="seconds; 0: none")
    parser.add_argument("--hand-over", type=float, default=60, help="seconds from one to the next")
    parser.add_argument("--kafka", metavar="DIR", help="of deploy/kafka/local.sh: a broker to use, and to kill; it stays")
    parser.add_argument("--standbys", type=int, default=0)
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 30))
    arguments = parser.parse_args()
    for program in ("kcat", "java"):
        if shutil.which(program) is None:
            print(f"skipped: needs {program}")
            return 77
    folder = tempfile.mkdtemp(prefix="portrait-chaos-")
    print("seed", arguments.seed, "folder", folder, flush=True)
    try:
        run(arguments, folder, random.Random(arguments.seed))
    except BaseException:
        print(f"kept: {folder}", flush=True)
        raise
    shutil.rmtree(folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())
