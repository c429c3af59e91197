"""On a terminal the demonstration stays, and serves the page: demo_page.py PORTRAIT"""
import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
import urllib.request

master, terminal = pty.openpty()
demo = subprocess.Popen([sys.argv[1], "demo", "--customers", "50"], stdin=subprocess.DEVNULL, stdout=terminal, stderr=subprocess.DEVNULL)
os.close(terminal)
screen, deadline = "", time.time() + 120
try:
    while "Ctrl-C ends it." not in screen:
        assert time.time() < deadline and demo.poll() is None, f"no last screen:\n{screen}"
        if select.select([master], [], [], 1)[0]:
            screen += os.read(master, 65536).decode(errors="replace")
    address = re.search(r"http://127\.0\.0\.1:\d+/", screen).group()
    page = urllib.request.urlopen(address, timeout=5).read().decode()
    assert "<title>" in page, page
    customer = urllib.request.urlopen(address + "v1/customers/c000001", timeout=5).read().decode()
    assert '"facts"' in customer, customer
    demo.send_signal(signal.SIGINT)
    assert demo.wait(timeout=30) == 0
finally:
    if demo.poll() is None:
        demo.kill()
print("demo_page.py: well")
