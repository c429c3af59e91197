#!/usr/bin/env python3
"""What bad input gets, on a real broker: every record below becomes a dead letter with its code, the good ones between them
are applied, and the service lives. Then what a bad surrounding gets: a clear refusal. Needs PORTRAIT_TEST_BROKERS.

  bad_input_test.py PORTRAIT
"""
import base64
import collections
import json
import os
import subprocess
import sys
import tempfile
import time

from portrait_process import Portrait, folder_with_log, free_port, read_topic, real_brokers, write_config


def track(**changed):
    event = {"type": "track", "event": "Order Completed", "userId": "anna", "messageId": "m", "timestamp": "2026-01-10T10:00:00Z",
             "properties": {"order_id": "o", "total": 10, "currency": "USD"}}
    for name, value in changed.items():
        if name in event["properties"]:
            event["properties"][name] = value
        elif value is None:
            event.pop(name)
        else:
            event[name] = value
    return json.dumps(event).encode()


# Name, value (None: a tombstone), headers, the code it must get. A record of 2 MB is not among them: this broker refuses
# it, and the decoder's own tests have it.
RECORDS = [
    ("unparsable bytes", b"\x00\xff\x13garbage", [], "invalid_utf8"),
    ("unparsable Protobuf", b"\xff\xff\xff", ["content-type=application/x-protobuf"], "malformed_protobuf"),
    ("Protobuf with no body", b"\x0a\x02e1\x12\x04anna", ["content-type=application/x-protobuf"], "no_body"),
    ("broken JSON", b'{"type": "track", ', [], "malformed_json"),
    ("JSON that is no object", b"[1, 2]", [], "not_an_object"),
    ("an unknown kind of event", track(event="Ship Sunk"), [], "unknown_event"),
    ("missing ids", track(userId=None), [], "missing_customer_id"),
    ("a time of 1970", track(messageId="t1", timestamp="1970-01-02T00:00:00Z"), [], "time_too_early"),
    ("a time of 2100", track(messageId="t2", timestamp="2100-01-01T00:00:00Z"), [], "time_in_future"),
    ("a negative time", track(messageId="t3", timestamp=-5), [], "time_too_early"),
    ("NaN", track(messageId="a1", total="NaN"), [], "bad_amount"),
    ("a negative amount", track(messageId="a2", total=-1), [], "negative_amount"),
    ("an absurd amount", track(messageId="a3", total=1e12), [], "absurd_amount"),
    ("an id of 10 kB", track(userId="x" * 10_000), [], "id_too_long"),
    ("invalid UTF-8", track().replace(b"anna", b"an\xffna"), [], "invalid_utf8"),
    ("a tombstone", None, [], "tombstone"),
    ("an unknown content type", track(), ["content-type=text/html"], "unknown_content_type"),
    ("a currency without a rate", track(messageId="c1", currency="XYZ"), [], "unknown_currency"),
]


def produce(brokers, topic, key, value, headers=(), partition=None):
    command = ["kcat", "-P", "-b", brokers, "-t", topic, "-X", "partitioner=murmur2", "-k", key]
    if partition is not None:
        command += ["-p", str(partition)]
    for header in headers:
        command += ["-H", header]
    if value is None:  # -Z: an empty value is a null one
        subprocess.run(command[:-2] + ["-K", ":", "-Z"], input=f"{key}:\n".encode(), check=True)
        return
    with tempfile.NamedTemporaryFile() as file:
        file.write(value)
        file.flush()
        subprocess.run(command + ["-D", "\x1e\x1e\x1e", file.name], check=True)


def check_records(program, brokers, folder, log):
    run = f"bad{os.getpid()}"
    config, port = write_config(folder, run, brokers)
    with open(config, "a") as file:
        file.write(f"sources:\n  - {{topic: {run}.events, format: json}}\n")
    subprocess.run([program, "topics", "--create", "--partitions", "2", "--config", config], check=True, stdout=subprocess.DEVNULL)
    subprocess.run(["kcat", "-L", "-b", brokers, "-t", f"{run}.events"], check=True, stdout=subprocess.DEVNULL)
    portrait = Portrait(program, config, port, log)
    portrait.start()
    portrait.wait_until(portrait.ready, "ready", 60)

    expected = collections.Counter()
    for name, value, headers, code in RECORDS:
        produce(brokers, f"{run}.events", "anna", value, headers)
        expected[code] += 1
    many = [f"h{i}=" + "v" * 100 for i in range(50)]
    produce(brokers, f"{run}.events", "anna", track(messageId="good", order_id="o1"), many + ["empty="])
    for partition in (0, 1):  # in one of the two, the record lies where its key does not belong
        produce(brokers, f"{run}.events", "zoe", track(userId="zoe", messageId="z", order_id="z"), partition=partition)
    expected["wrong_partition"] += 1
    portrait.wait_until(lambda: portrait.total("portrait_dead_letters_total") >= sum(expected.values()), "all dead letters", 60)
    portrait.wait_until_done(60)
    assert portrait.process.poll() is None
    portrait.stop()

    letters = read_topic(brokers, f"{run}.dead-letters")
    got = collections.Counter(letter["code"] for letter in letters)
    for letter in letters:
        print(f"  {letter['code']:<22} {letter['text'][:110]}")
        assert letter["text"] and letter["topic"] == f"{run}.events"
        assert letter["tombstone"] or base64.b64decode(letter["value"])
    assert got == expected, f"got {got - expected} too many, {expected - got} too few"
    orders = subprocess.run([program, "customers", "--features", "purchases.orders", "--config", config], check=True,
                            capture_output=True, text=True).stdout.split()
    assert sorted(orders) == ["anna,1", "customer,purchases.orders", "zoe,1"], orders
    return config, run


def refused(program, config, *expected):
    done = subprocess.run([program, "run", "--config", config], capture_output=True, text=True, timeout=90)
    print(f"  exit {done.returncode}: {done.stderr.strip().splitlines()[-1][:180]}")
    assert done.returncode != 0
    for text in expected:
        assert text in done.stderr, f"{text!r} is not in: {done.stderr}"


def check_surroundings(program, brokers, folder, config, run, log):
    text = open(config).read()

    def changed(name, old, new):
        path = os.path.join(folder, name + ".yaml")
        assert old in text
        with open(path, "w") as file:
            file.write(text.replace(old, new))
        return path

    print("a topic that does not exist")
    refused(program, changed("missing", f"topic: {run}.events", "topic: nowhere"), "nowhere")
    print("an unknown key, a wrong unit, a missing file")
    refused(program, changed("unknown", "clock: event", "clok: event"), "clok", "clock")
    refused(program, changed("unit", "clock: event", "commit: {interval: 100}"), "commit.interval", "100")
    refused(program, os.path.join(folder, "nothing.yaml"), "nothing.yaml")
    print("a broker that is down at the start")
    down = changed("down", f"brokers: {brokers}", f"brokers: 127.0.0.1:{free_port()}\nstartup: {{timeout: 3s}}")
    began = time.time()
    refused(program, down, "startup.timeout")
    assert time.time() - began < 60
    print("local state that another process holds")
    holder_port = free_port()
    holder = changed("holder", "http: {listen: '127.0.0.1:", f"http: {{listen: '127.0.0.1:{holder_port}'}}\n#")
    portrait = Portrait(program, holder, holder_port, log)
    portrait.start()
    portrait.wait_until(portrait.ready, "ready", 60)
    # Another application on the same folder: only the folder is shared.
    state = os.path.join(folder, "state")
    other = changed("other", f"application: {{id: {run}}}", f"application: {{id: {run}-other}}")
    subprocess.run([program, "topics", "--create", "--config", other], check=True, stdout=subprocess.DEVNULL)
    os.symlink(os.path.join(state, run), os.path.join(state, run + "-other"))
    refused(program, other, "does another process use it?")
    portrait.stop()
    print("local state that is corrupt")
    with open(os.path.join(state, run, "partition-0", "CURRENT"), "w") as file:
        file.write("MANIFEST-999999\n")
    portrait.start()  # it is set aside, and the partition restored from the changelog
    portrait.wait_until(portrait.ready, "ready", 60)
    portrait.stop()
    aside = [name for name in os.listdir(os.path.join(state, run)) if name.startswith("partition-0.corrupt-")]
    print("  set aside:", *aside)
    assert len(aside) == 1, os.listdir(os.path.join(state, run))


def main():
    program = sys.argv[1]
    brokers = real_brokers()
    with folder_with_log() as (folder, log):
        config, run = check_records(program, brokers, folder, log)
        check_surroundings(program, brokers, folder, config, run, log)
    print("every bad input got what it should")
    return 0


if __name__ == "__main__":
    sys.exit(main())
