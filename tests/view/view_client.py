"""A client of the view's API for tests: what it is answered is checked against view/openapi.yaml; events for its broker."""
import http.client
import json
import pathlib
import socket
import subprocess
import time

import jsonschema
import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
CONTRACT = yaml.safe_load((ROOT / "view/openapi.yaml").read_text())
TOKENS = {role: f"{role}-token-0123456789" for role in ("reader", "analyst", "operator", "admin")}
CHECKED = set()


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    def json(self):
        return json.loads(self.body)


class View:
    def __init__(self, port, tls=None):
        self.port, self.tls = port, tls

    def connect(self, timeout=10):
        if self.tls:
            return http.client.HTTPSConnection("127.0.0.1", self.port, timeout=timeout, context=self.tls)
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)

    def raw(self, data, timeout=10):
        with socket.create_connection(("127.0.0.1", self.port), timeout=timeout) as sock:
            sock.sendall(data)
            sock.shutdown(socket.SHUT_WR)
            out = b""
            try:
                while chunk := sock.recv(65536):
                    out += chunk
            except ConnectionResetError:
                pass
            return out

    def ask(self, path, role="analyst", method="GET", headers=None, body=None):
        connection = self.connect()
        sent = dict(headers or {})
        if role:
            sent["Authorization"] = f"Bearer {TOKENS[role]}"
        connection.request(method, path, body=body, headers=sent)
        response = connection.getresponse()
        answer = Answer(response.status, response.headers, response.read().decode())
        connection.close()
        return answer

    def get(self, path, status=200, template=None, role="analyst", **more):
        """Asks, and checks the answer by the contract."""
        answer = self.ask(path, role, **more)
        assert answer.status == status, (path, answer.status, answer.body[:300])
        if status >= 400:
            check(answer.json(), {"$ref": "#/components/schemas/Error"})
        elif template:
            content = CONTRACT["paths"][template][more.get("method", "GET").lower()]["responses"][str(status)]["content"]
            check(answer.json(), content["application/json"]["schema"])
            CHECKED.add(template)
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
        return answer

    def error(self, path, status, code, role="analyst", **more):
        answer = self.get(path, status, role=role, **more)
        assert answer.json()["error"]["code"] == code, answer.body
        return answer


def check(value, schema):
    jsonschema.Draft202012Validator({"components": CONTRACT["components"], **schema}).validate(value)


def event(customer, number, kind, time_us, properties):
    stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(time_us / 1e6)) + ".000Z"
    return {"messageId": f"{customer}-{number}", "userId": customer, "type": "track", "event": kind, "timestamp": stamp,
            "properties": properties}


def send(brokers, topic, events):
    lines = "".join(f"{e['userId']}\t{json.dumps(e)}\n" for e in events)
    subprocess.run(["kcat", "-P", "-b", brokers, "-t", topic, "-K", "\t", "-X", "partitioner=murmur2_random"],
                   input=lines.encode(), check=True, timeout=60)


def wait_for(what, seconds=60):
    end = time.time() + seconds
    last = None
    while time.time() < end:
        try:
            if (last := what()) not in (None, False):
                return last
        except (OSError, http.client.HTTPException) as error:
            last = error
        time.sleep(0.1)
    raise AssertionError(f"did not come about: {last}")


class Stream:
    """Server-sent events as (id, event, data)."""

    def __init__(self, view, query="", last_id=None):
        self.connection = view.connect(timeout=30)
        headers = {"Authorization": f"Bearer {TOKENS['reader']}"}
        if last_id:
            headers["Last-Event-ID"] = last_id
        self.connection.request("GET", "/v1/stream" + query, headers=headers)
        self.response = self.connection.getresponse()
        assert self.response.status == 200, self.response.read()
        self.sock = self.response.fp

    def next(self, seconds=60):
        fields, end = {}, time.time() + seconds
        while True:
            line = self.sock.readline().decode().rstrip("\n")
            assert time.time() < end, f"nothing but signs of life in {seconds} s"
            if line.startswith(":") or line.startswith("retry"):
                continue
            if line:
                name, _, value = line.partition(": ")
                fields[name] = value
            elif "data" in fields:
                data = json.loads(fields["data"])
                if fields["event"] in ("tag", "alert"):
                    check(data, {"$ref": "#/components/schemas/Result"})
                return fields.get("id"), fields["event"], data

    def close(self):
        self.connection.close()
