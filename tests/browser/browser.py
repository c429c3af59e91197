"""Debian's chromium, driven headless by Debian's Selenium, with what tests of the page need."""
import glob
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time
import zipfile

from selenium import webdriver
from selenium.common.exceptions import StaleElementReferenceException
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By

AXE = "axe-playwright-python==0.1.8"  # a Python package that carries axe-core 4.12.1
CACHE = pathlib.Path(os.environ.get("XDG_CACHE_HOME", pathlib.Path.home() / ".cache")) / "portrait"


def axe_source():
    """axe-core's script; fetched when it is not there."""
    path = CACHE / (re.sub(r"\W+", "-", AXE) + ".js")
    if not path.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory() as folder:
            subprocess.run([sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps",
                            "--dest", folder, AXE], check=True)
            with zipfile.ZipFile(glob.glob(f"{folder}/*.whl")[0]) as wheel:
                part = pathlib.Path(folder, "axe.js")
                part.write_bytes(wheel.read("axe_playwright_python/axe.min.js"))
                path.write_bytes(part.read_bytes())
    return path.read_text(encoding="utf-8")


class Browser:
    def __init__(self, address, screenshots):
        self.address, self.screenshots = address, pathlib.Path(screenshots)
        self.screenshots.mkdir(parents=True, exist_ok=True)
        options = webdriver.ChromeOptions()
        options.binary_location = "/usr/bin/chromium"
        # Without a sandbox, since CI is root; it only ever sees the service under test.
        for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars",
                         "--window-size=1280,900", "--lang=en-US", "--disable-background-networking"):
            options.add_argument(argument)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        self.driver = webdriver.Chrome(service=Service("/usr/bin/chromedriver"), options=options)
        self.driver.set_script_timeout(60)
        self.axe = axe_source()

    def quit(self):
        self.driver.quit()

    def js(self, script, *arguments):
        return self.driver.execute_script(script, *arguments)

    def open(self, place=""):
        """Shows a place of the page, such as #/live, as a fresh load."""
        self.driver.get("about:blank")
        self.driver.get(self.address + "/" + place)

    def go(self, place):
        """Goes to a place within the page that is loaded, and waits until it is shown."""
        self.js("location.hash = arguments[0]", place)
        self.settled()

    def settled(self):
        self.until(lambda: self.js("return !document.querySelector('main[aria-busy]') && !!document.querySelector('main h1')"),
                   "the view is shown")

    def until(self, condition, what, seconds=30):
        """What `condition` gave, as soon as it is something."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            try:
                found = condition()
            except StaleElementReferenceException:  # drawn anew meanwhile
                found = None
            if found:
                return found
            time.sleep(0.02)
        raise AssertionError(f"not within {seconds} s: {what}. The page shows:\n{self.text()[:3000]}")

    def text(self):
        return self.js("return document.body.innerText")

    def find(self, selector, text=""):
        """The first element of the selector that can be seen and holds the text; waits for it."""
        def look():
            return next((element for element in self.driver.find_elements(By.CSS_SELECTOR, selector)
                         if text in element.text and element.is_displayed()), None)
        return self.until(look, f"{selector} with {text!r}")

    def media(self, **features):
        """Such as prefers_color_scheme="dark"; without any, as it was."""
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [
            {"name": name.replace("_", "-"), "value": value} for name, value in features.items()]})

    def size(self, width=1280, height=900):
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {
            "width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500})

    def screenshot(self, name):
        """The whole view, however long."""
        width, height = self.js("return [innerWidth, innerHeight]")
        self.size(width, min(max(self.js("return document.documentElement.scrollHeight"), height), 4000))
        self.js("window.scrollTo(0, 0)")
        self.painted()
        self.driver.save_screenshot(str(self.screenshots / f"{name}.png"))
        self.size(width, height)

    def painted(self):
        """Charts, which come by themselves, are drawn and the frame is out."""
        self.until(lambda: self.js("return [...document.querySelectorAll('.chart')].every(chart => chart.querySelector('canvas'))"),
                   "the charts are drawn")
        self.driver.execute_async_script("requestAnimationFrame(() => requestAnimationFrame(arguments[0]))")

    def findings(self):
        """What axe finds, a line each; every rule of WCAG 2.2 A and AA and of good practice."""
        self.js(self.axe)
        result = self.driver.execute_async_script(
            "axe.run(document, {resultTypes: ['violations']}).then(arguments[0], error => arguments[0]({error: String(error)}))")
        if "error" in result:
            raise AssertionError(result["error"])
        return [f"{finding['id']} ({finding['impact']}): {finding['help']}: {node['html'][:200]} {node.get('failureSummary', '')[:400]}"
                for finding in result["violations"] for node in finding["nodes"]]

    def errors(self):
        """What the console has had since the last question that is an error."""
        return [entry["message"] for entry in self.driver.get_log("browser") if entry["level"] == "SEVERE"]
