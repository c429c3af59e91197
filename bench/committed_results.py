"""How late results are: from the record that caused one, as its producer stamped it, until a reader of what is committed has it."""
import json
import subprocess
import threading
import time


def quantile(sorted_values, share):
    return sorted_values[min(len(sorted_values) - 1, int(share * len(sorted_values)))] if sorted_values else float("nan")


class CommittedResults:
    """Tag changes as they come out, from now on."""

    def __init__(self, program, config):
        self.arrived = []  # (seconds since 1970, topic, partition, offset of the cause)
        self.process = subprocess.Popen([program, "tail", "tag-changes", "--json", "--config", config], stdout=subprocess.PIPE,
                                        stderr=subprocess.DEVNULL)
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        for line in self.process.stdout:
            now = time.time()
            if not line.endswith(b"\n"):
                return  # cut off by close
            info = json.loads(line)["info"]
            if info.get("origin") == "LIVE" and "topic" in info.get("cause", {}):
                cause = info["cause"]
                self.arrived.append((now, cause["topic"], int(cause.get("partition", 0)), int(cause.get("offset", 0))))

    def close(self):
        self.process.kill()
        self.process.wait()

    def latencies(self, brokers, windows):
        """Sorted, for each window (begin, end) of the time of the cause. Those that an event caused; silence has no record."""
        stamps = {}
        for topic in {topic for _, topic, _, _ in self.arrived}:
            out = subprocess.run(["kcat", "-C", "-b", brokers, "-t", topic, "-e", "-q", "-f", "%p %o %T\n"], check=True,
                                 capture_output=True).stdout
            for line in out.decode().splitlines():
                partition, offset, stamp = line.split()
                stamps[topic, int(partition), int(offset)] = int(stamp) / 1000
        found = [[] for _ in windows]
        for now, *cause in self.arrived:
            stamp = stamps.get(tuple(cause))
            for window, (begin, end) in zip(found, windows):
                if stamp is not None and begin <= stamp < end:
                    window.append(now - stamp)
        return [sorted(window) for window in found]
