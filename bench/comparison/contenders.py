"""The contenders: how each is started, and what it writes where."""
import dataclasses
import json
import pathlib
import subprocess

SOURCES = ("browsing-events", "email-events", "purchase-events")
PARTITIONS = 2
IN_ALL_PARTITIONS = ("--partitions", str(PARTITIONS))
JVM_FLAGS = ("-Xms1g", "-Xmx1g", "-XX:+UseParallelGC",
             "--add-exports=java.base/sun.nio.ch=ALL-UNNAMED")  # for the hash function, which reads a direct buffer


@dataclasses.dataclass(frozen=True)
class Variant:
    """A way to run the work; the same for every contender."""
    name: str
    about: str
    customers: int = 200_000
    commit_ms: int = 100
    memory_limit: str = "1GB"  # of Portrait, all of the process: its default
    streams_cache_bytes: int = 256 << 20  # of Kafka Streams, serialised ones


# In the large variant each cache holds a quarter of the 1.1 M rows that 5 M events touch: about 1 kB a row in Portrait, of
# whose limit rows get a good half, and 200 B in Kafka Streams.
VARIANTS = {variant.name: variant for variant in (
    Variant("lean", "200 000 customers, commits every 100 ms"),
    Variant("lean-1s", "200 000 customers, commits every second", commit_ms=1000),
    Variant("large", "2 million customers, a cache of a quarter of the state", customers=2_000_000,
            memory_limit="580MB", streams_cache_bytes=55 << 20),
)}


@dataclasses.dataclass
class Place:
    """Where one contender runs once."""
    root: pathlib.Path       # of the checkout
    build: pathlib.Path      # of the programs
    java_build: pathlib.Path
    folder: pathlib.Path     # empty, for state and logs
    brokers: str
    application: str         # unused before: the group, and the beginning of every topic of this run
    results: int             # how many results the work has
    events: int


class Contender:
    name = ""
    about = ""
    lean_results = True      # comparable by bench_tool compare
    keeps_state = True       # that can be restored; and then its latency is taken

    def __init__(self, variant, place):
        self.variant, self.place = variant, place

    def group(self):
        return self.place.application

    def output(self):
        return self.place.application + ".results"

    def outputs(self):
        return [self.output()]

    def internal_topics(self):
        return []

    def changelogs(self):
        return [topic for topic in self.internal_topics() if topic.endswith("changelog")]

    def prepare(self):
        """Before the clock runs: topics and files."""
        make_topics(self.place, [self.output()])

    def prepare_again(self):
        """Before it is started a second time, in an empty folder: its topics are there."""

    def command(self):
        raise NotImplementedError


def make_topics(place, topics):
    # librdkafka and Kafka Streams both need their output topics to be there; kcat cannot make any.
    bench_tool(place, "topics", "--names", ",".join(topics), *IN_ALL_PARTITIONS)


class Portrait(Contender):
    name = "portrait"
    about = "Portrait, the lean work as an operator"
    output_names = ("lean-results", "dead-letters")
    clock = "event"

    def outputs(self):
        return [f"{self.place.application}.{name}" for name in self.output_names]

    def output(self):
        return self.outputs()[0]

    def internal_topics(self):
        return [self.place.application + ".journal", self.place.application + ".changelog"]

    def config(self):
        return self.place.folder / "portrait.yaml"

    def settings(self):
        """What a user would write; all else has its default."""
        sources = ", ".join(f"{{topic: {topic}, format: protobuf}}" for topic in SOURCES)
        outputs = ", ".join(f"{name}: {{topic: {topic}}}" for name, topic in zip(self.output_names, self.outputs()))
        return (f"application: {{id: {self.place.application}}}\n"
                f"brokers: {self.place.brokers}\n"
                f"state: {{dir: {self.place.folder}/state}}\n"
                f"clock: {self.clock}\n"
                f"sources: [{sources}]\n"
                f"outputs: {{{outputs}}}\n"
                f"commit: {{interval: {self.variant.commit_ms}ms}}\n"
                f"memory: {{limit: {self.variant.memory_limit}}}\n")

    def topics_command(self):
        return [self.place.build / "bench/portrait-lean", "topics", self.config()]

    def prepare(self):
        self.prepare_again()
        subprocess.run(self.topics_command(), check=True, stdout=subprocess.DEVNULL)

    def prepare_again(self):
        self.config().write_text(self.settings())

    def command(self):
        return [self.place.build / "bench/portrait-lean", "run", self.config()]


class PortraitAtLeastOnce(Portrait):
    name = "portrait-at-least-once"
    about = "Portrait, the lean work, without transactions: what exactly-once costs"
    keeps_state = False      # restored as portrait is

    def command(self):
        return [self.place.build / "bench/portrait-lean-at-least-once", "run", self.config()]


class PortraitFull(Portrait):
    name = "portrait-full"
    about = "Portrait, the default chain with its default tags: much more work"
    output_names = ("tag-changes", "churn-alerts", "dead-letters")
    lean_results = False

    def topics_command(self):
        return [self.place.build / "pipeline/portrait", "topics", "--config", self.config(), "--create",
                "--partitions", str(PARTITIONS), "--replication", "1"]

    def command(self):
        return [self.place.build / "pipeline/portrait", "run", "--config", self.config()]


class BareClient(Contender):
    name = "bare-client"
    about = "librdkafka alone: reads, parses nothing, keeps nothing, writes as many records: the ceiling"
    lean_results = False
    keeps_state = False

    def command(self):
        return [self.place.build / "bench/bench_tool", "bare-client", "--brokers", self.place.brokers,
                "--group", self.group(), "--topics", ",".join(SOURCES), "--output", self.output(),
                "--every", str(self.place.events / self.place.results), "--commit-interval",
                str(self.variant.commit_ms)]


class KafkaStreams(Contender):
    name = "kafka-streams"
    about = "Kafka Streams 4.1, the lean work as a processor with one state store"
    guarantee = "exactly_once_v2"

    def internal_topics(self):
        return [self.place.application + "-lean-changelog"]

    def command(self):
        settings = {"brokers": self.place.brokers, "application": self.place.application,
                    "sources": ",".join(SOURCES), "output": self.output(), "state_dir": self.place.folder / "state",
                    "commit_interval_ms": self.variant.commit_ms, "cache_bytes": self.variant.streams_cache_bytes,
                    "guarantee": self.guarantee}
        return ["java", *JVM_FLAGS, "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn", "-cp",
                f"{self.place.java_build}/classes:{self.place.java_build}/lib/*", "portrait.bench.KafkaStreamsLean",
                *(f"{key}={value}" for key, value in settings.items())]


CONTENDERS = {contender.name: contender for contender in (Portrait, KafkaStreams, BareClient, PortraitAtLeastOnce, PortraitFull)}


def bench_tool(place, *words):
    """Runs a command of bench_tool; what it says, if anything."""
    out = subprocess.run([place.build / "bench/bench_tool", *words, "--brokers", place.brokers], check=True,
                         stdout=subprocess.PIPE, text=True).stdout
    return json.loads(out) if out else None


def fill(place, customers, *words):
    """Fills the source topics; returns what bench_tool says of them."""
    return bench_tool(place, "fill", "--events", str(place.events), "--customers", str(customers), *IN_ALL_PARTITIONS,
                      *words)


def send_more(place, events):
    """The first events once more, which then count as sent: what a contender that is started again has to go on with."""
    bench_tool(place, "fill", "--more", "--events", str(events), *IN_ALL_PARTITIONS)
    place.events += events


def send_paced(contender, rate, seconds, *words):
    """Events that no one has sent before, so many a second; what bench_tool says of its results' latencies."""
    place = contender.place
    return bench_tool(place, "latency", "--output", contender.output(), "--rate", str(rate), "--seconds", str(seconds),
                      "--warm-up", str(seconds / 6), "--skip", str(place.events),
                      "--customers", str(contender.variant.customers), *words)


def length(place, topics):
    """Offsets in these topics."""
    return bench_tool(place, "length", "--topics", ",".join(topics), *IN_ALL_PARTITIONS)["records"]
