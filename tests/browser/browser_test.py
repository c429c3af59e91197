"""The page in a real browser, on a real service and a real broker: browser_test.py PORTRAIT SCREENSHOTS_FOLDER

Needs PORTRAIT_TEST_BROKERS. Time is that of events (clock: event), so the tests decide when a silence has lasted too long.
Screenshots of every view are left in the folder.
"""
import datetime
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "recovery"))
from portrait_process import Portrait, free_port, write_config  # noqa: E402

PORTRAIT, SCREENSHOTS = sys.argv[1], sys.argv[2]
ROOT = pathlib.Path(__file__).resolve().parents[2]
BROKERS = os.environ.get("PORTRAIT_TEST_BROKERS")
if not BROKERS:
    print("skipped: needs a real broker in PORTRAIT_TEST_BROKERS")
    sys.exit(77)
from browser import Browser, By  # noqa: E402

START = datetime.datetime(2026, 1, 1, tzinfo=datetime.timezone.utc)  # where the population ends and the tests begin
TOKENS = {"analyst": "an-analysts-token-of-these-tests", "reader": "a-readers-token-of-these-tests"}
MALLORY = "<img src=x onerror=window.hacked=1>"
RUN = f"page{os.getpid()}"


def iso(moment):
    return moment.isoformat().replace("+00:00", "Z")


class Shop:
    """Sends events, as the shop's website would."""

    def __init__(self):
        self.count = 0

    def send(self, *events):
        """To the broker; returned when it has them."""
        lines = "".join(f"{event['userId']}\t{json.dumps(event)}\n" for event in events)
        subprocess.run(["kcat", "-P", "-b", BROKERS, "-t", f"{RUN}.events", "-X", "partitioner=murmur2", "-K", "\t"],
                       input=lines, text=True, check=True, timeout=60)

    def event(self, customer, moment, **what):
        self.count += 1
        return {"messageId": f"{RUN}-{self.count}", "userId": customer, "timestamp": iso(moment), **what}

    def order(self, customer, moment, total=40):
        return self.event(customer, moment, type="track", event="Order Completed", properties={
            "order_id": f"o{self.count}", "total": total, "currency": "USD",
            "products": [{"product_id": "p1", "name": "Lamp", "category": "Light", "price": total, "quantity": 1}]})

    def page(self, customer, moment):
        return self.event(customer, moment, type="page", name="Home", properties={"path": "/"})

    def history(self, customer, name, pause_days=20, orders=9):
        """A customer who orders every `pause_days`, until three days before START."""
        first = START - datetime.timedelta(days=3 + pause_days * (orders - 1))
        yield self.event(customer, first, type="identify", traits={"firstName": name, "email": "someone@example.com"})
        for index in range(orders):
            yield self.order(customer, first + datetime.timedelta(days=pause_days * index, hours=1))


class Service:
    """One process of Portrait with its view, and a population in it."""

    def __init__(self, folder):
        self.log = open(os.path.join(folder, "log"), "w+b")
        view_port = free_port()
        self.address = f"http://127.0.0.1:{view_port}"
        tokens = ", ".join(f"{{name: {role}, role: {role}, token: {token}}}" for role, token in TOKENS.items())
        self.config, port = write_config(folder, RUN, BROKERS, sources=f"[{{topic: {RUN}.events, format: json}}]",
                                         view=f"{{listen: '127.0.0.1:{view_port}', tokens: [{tokens}]}}")
        self.shop = Shop()
        self.command("topics", "--create", "--partitions", "1", "--config", self.config)
        self.command("generate", "--customers", "60", "--days", "100", "--to", iso(START)[:10], "--seed", "7", "--topic", f"{RUN}.events",
                     "--config", self.config)
        self.shop.send(*sorted([*self.shop.history("anna", "Anna"), *self.shop.history("lena", "Lena", 12),
                                *self.shop.history(MALLORY, "<script>window.hacked=2</script>")], key=lambda event: event["timestamp"]))
        self.process = Portrait(PORTRAIT, self.config, port, self.log)
        self.process.start()
        self.process.wait_until_done(60)

    @staticmethod
    def command(*words):
        subprocess.run([PORTRAIT, *words], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=120)

    def log_text(self):
        self.log.flush()
        return pathlib.Path(self.log.name).read_text(errors="replace")


def setUpModule():
    global FOLDER, SERVICE, BROWSER
    FOLDER = tempfile.TemporaryDirectory()
    unittest.addModuleCleanup(FOLDER.cleanup)
    began = time.monotonic()
    SERVICE = Service(FOLDER.name)
    unittest.addModuleCleanup(SERVICE.process.kill_if_alive)
    BROWSER = Browser(SERVICE.address, SCREENSHOTS)
    unittest.addModuleCleanup(BROWSER.quit)
    BROWSER.size()
    print(f"service and browser are up after {time.monotonic() - began:.1f} s", flush=True)


class Page(unittest.TestCase):
    def setUp(self):
        self.browser, self.shop = BROWSER, SERVICE.shop
        self.browser.size()
        self.browser.media(prefers_color_scheme="light")

    # A refusal that the test is about is in the console, too: whoever is not signed in is told so with 401, and an instance that
    # does not list who has a tag says 501.
    expected = [r"/v1/(session|login) .*401", r"/v1/customers\?tag=.*501"]

    def tearDown(self):
        self.assertEqual([error for error in self.browser.errors() if not any(re.search(known, error) for known in self.expected)], [])

    def sign_in(self, role="analyst", place="#/"):
        self.browser.driver.delete_all_cookies()
        self.browser.open(place)
        self.browser.js("localStorage.clear()")
        self.browser.open(place)
        self.browser.find("#token").send_keys(TOKENS[role] + "\n")
        self.browser.find("nav")
        self.browser.settled()

    def ask(self, path):
        """An answer of the API, as the page would get it."""
        return self.browser.driver.execute_async_script(
            "fetch(arguments[0]).then(answer => answer.json()).then(arguments[1])", path)

    def sought(self, *kinds):
        """The moment that a link has led to."""
        moment = self.browser.find(".moment.sought")
        self.assertIn(moment.get_attribute("data-kind"), kinds)
        self.assertTrue(self.browser.js("return document.activeElement === arguments[0]", moment), "has the focus")
        return moment


class SigningIn(Page):
    def test_a_wrong_token_is_told_and_a_right_one_opens_the_page_until_one_signs_out(self):
        self.browser.driver.delete_all_cookies()
        self.browser.open()
        self.assertEqual(self.browser.findings(), [])
        self.browser.screenshot("sign-in")
        self.browser.find("#token").send_keys("wrong-wrong-wrong-wrong\n")
        self.browser.find(".fault", "not known")
        self.sign_in()
        self.browser.open("#/chain")
        self.browser.find("h1", "Chain")
        self.browser.find("header button", "Sign out").click()
        self.browser.find("h1", "Sign in")

    def test_a_reader_sees_that_personal_data_is_masked(self):
        self.sign_in("reader")
        self.browser.go("#/customers/anna")
        self.browser.find(".customer-head", "masked")
        self.assertNotIn("someone@example.com", self.browser.text())
        self.sign_in("analyst")
        self.browser.go("#/customers/anna")
        self.assertIn("someone@example.com", self.browser.text())


class Customers(Page):
    def setUp(self):
        super().setUp()
        self.sign_in()

    def test_a_customer_is_looked_up_by_keyboard_alone(self):
        keys = self.browser.driver.switch_to.active_element
        keys.send_keys("/")
        self.browser.driver.switch_to.active_element.send_keys("anna\n")
        self.browser.find("h1", "anna")
        self.browser.find("figure.rhythm", "churn is expected on")
        self.browser.find(".moment[data-kind=purchase]")
        self.assertEqual(self.browser.js("return document.title"), "anna · Portrait")
        self.browser.find("summary", "All that is known").click()
        self.browser.find("caption", "purchases")

    def test_the_picture_says_when_churn_is_expected(self):
        self.browser.go("#/customers/anna")
        churn = self.ask("/v1/customers/anna")["churn"]
        shown = self.browser.find("figure.rhythm").text
        due = datetime.datetime.fromisoformat(churn["alert_expected"].replace("Z", "+00:00"))
        zone = self.browser.js("return Intl.DateTimeFormat().resolvedOptions().timeZone")
        self.assertIn(zone, ("UTC", "Etc/UTC", "Etc/Unknown"), "the texts below are for UTC")
        self.assertIn(f"{due:%b} {due.day}, {due.year}", shown)
        self.browser.painted()
        painted = self.browser.js("""
            const canvas = document.querySelector('figure.rhythm canvas');
            const {data} = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
            return data.filter((value, index) => index % 4 === 3 && value > 0).length;""")
        self.assertGreater(painted, 1000)

    def test_a_pin_is_shown_with_who_decided_and_why(self):
        SERVICE.command("rules", "pin", "lena", "high_spender", "--absent", "--because", "buys for a company", "--author", "lou",
                        "--topic", f"{RUN}.events", "--config", SERVICE.config)
        self.browser.until(lambda: self.ask("/v1/customers/lena")["pins"], "the pin has come")
        self.browser.go("#/customers/lena")
        pin = self.browser.find(".pins li", "high_spender")
        self.assertIn("is kept away by lou, since ", pin.text)
        self.assertIn("buys for a company", pin.text)

    def test_who_is_not_known_is_told_in_words(self):
        self.browser.go("#/customers/nobody-of-this-name")
        self.browser.find("h1", "Nobody has this id")
        self.expected = [*self.expected, r"/v1/customers/nobody-of-this-name .*404"]

    def test_script_in_an_id_and_in_a_name_is_text(self):
        self.browser.find("#search").send_keys(MALLORY + "\n")
        self.browser.find("h1", MALLORY)
        self.browser.find("dd", "<script>window.hacked=2</script>")
        self.assertIsNone(self.browser.js("return window.hacked ?? null"))
        self.assertEqual(self.browser.js("return document.querySelectorAll('main img, main script').length"), 0)


class Live(Page):
    def test_an_alert_arrives_live_and_links_lead_to_its_cause(self):
        self.sign_in(place="#/live")
        self.browser.find("h1", "Live")
        self.browser.find(".state.live")
        self.browser.find("main input[type=search]").send_keys("lena")
        due = datetime.datetime.fromisoformat(self.ask("/v1/customers/lena")["churn"]["alert_expected"].replace("Z", "+00:00"))

        # Time goes on for everybody by an event of somebody else: lena's silence has lasted too long.
        self.shop.send(self.shop.page("metronome", due + datetime.timedelta(hours=1)))
        sent = time.time() * 1000
        alert = self.browser.find(".moment.alert", "lena")
        self.told("an alert by silence", alert, sent)
        self.assertIn("Churn alert", alert.text)
        self.browser.screenshot("live")
        alert.find_element(By.CSS_SELECTOR, ".cause a").click()
        self.browser.find("h1", "lena")
        moment = self.sought("alert_opened")
        moment.find_element(By.CSS_SELECTOR, ".cause a").click()  # it was silence: the picture shows it
        self.browser.until(lambda: self.browser.js("return document.activeElement.id") == "rhythm", "the picture has the focus")
        self.browser.find("figure.rhythm", "it was exceeded")
        self.browser.screenshot("customer-at-risk")

        self.browser.go("#/live")
        self.browser.find("main input[type=search]").send_keys("lena")
        order = self.shop.order("lena", due + datetime.timedelta(hours=2))
        self.shop.send(order)
        sent = time.time() * 1000
        closed = self.browser.find(".moment.closed", "lena")
        self.told("an alert closed by an order", closed, sent)
        closed.find_element(By.CSS_SELECTOR, ".cause a").click()
        moment = self.sought("alert_closed")
        moment.find_element(By.CSS_SELECTOR, ".cause a").click()
        self.browser.until(lambda: self.sought_kind() in ("purchase", "event"), "the order is shown as the cause")

    def sought_kind(self):
        return self.browser.find(".moment.sought").get_attribute("data-kind")

    def told(self, what, item, sent):
        seen = float(item.get_attribute("data-seen"))
        emitted = datetime.datetime.fromisoformat(item.get_attribute("data-emitted").replace("Z", "+00:00")).timestamp() * 1000
        print(f"{what}: on the page {seen - sent:.0f} ms after the broker had the event, {seen - emitted:.0f} ms after it was written",
              flush=True)


class Looks(Page):
    PLACES = {"overview": "#/", "live": "#/live", "customer": "#/customers/anna", "tag": None, "chain": "#/chain"}

    def everywhere(self, name):
        tag = self.ask("/v1/overview")["tags"][0]["tag"]
        for view, place in self.PLACES.items():
            self.browser.go(place or f"#/tags/{tag}")
            self.browser.painted()
            with self.subTest(f"{view}, {name}"):
                self.assertEqual(self.browser.findings(), [])
                wide = self.browser.js("return document.documentElement.scrollWidth > innerWidth")
                self.assertFalse(wide, "can be read without scrolling to the side")
            self.browser.screenshot(f"{view}-{name}")

    def test_axe_finds_nothing_in_light(self):
        self.sign_in()
        self.everywhere("light")

    def test_axe_finds_nothing_in_dark(self):
        self.browser.media(prefers_color_scheme="dark")
        self.sign_in()
        self.everywhere("dark")

    def test_axe_finds_nothing_on_a_phone(self):
        self.browser.size(390, 844)
        self.sign_in()
        self.everywhere("phone")

    def test_axe_finds_nothing_in_chinese_and_the_page_says_its_language(self):
        self.sign_in()
        self.browser.js("document.getElementById('language').value = 'zh';"
                        "document.getElementById('language').dispatchEvent(new Event('change'))")
        self.browser.find("h1", "概览")
        self.assertEqual(self.browser.js("return document.documentElement.lang"), "zh-Hans")
        self.everywhere("chinese")

    def test_the_switch_of_the_theme_is_stronger_than_the_system_and_is_kept(self):
        self.sign_in()
        self.browser.js("document.getElementById('theme').value = 'dark';"
                        "document.getElementById('theme').dispatchEvent(new Event('change'))")
        ground = "return getComputedStyle(document.body).backgroundColor"
        dark = self.browser.js(ground)
        self.browser.open()
        self.browser.settled()
        self.assertEqual(self.browser.js(ground), dark)
        self.browser.js("localStorage.clear()")
        self.browser.open()
        self.browser.settled()
        self.assertNotEqual(self.browser.js(ground), dark)


class Speed(Page):
    def test_the_page_is_small_and_soon_there(self):
        self.sign_in()
        self.browser.driver.execute_cdp_cmd("Network.clearBrowserCache", {})
        self.browser.open("#/customers/anna")
        self.browser.settled()
        self.browser.painted()
        files = self.browser.js("""
            return [...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')]
              .filter(entry => !entry.name.includes('/v1/')).map(entry => [entry.name, entry.transferSize, entry.decodedBodySize]);""")
        paint = self.browser.js("return performance.getEntriesByName('first-contentful-paint')[0].startTime")
        shown = self.browser.js("return performance.now()")
        size = sum(transferred for _, transferred, _ in files)
        print(f"first paint after {paint:.0f} ms, everything within {shown:.0f} ms; {len(files)} files, {size / 1000:.0f} kB", flush=True)
        self.assertTrue(all(name.startswith(SERVICE.address + "/") for name, _, _ in files), "nothing comes from elsewhere")
        self.assertLess(size, 300_000)
        self.assertLess(paint, 1000)


class Operators(Page):
    def test_metrics_that_dashboard_and_alerts_ask_for_are_served_by_this_process(self):
        subprocess.run(["kcat", "-P", "-b", BROKERS, "-t", f"{RUN}.events", "-k", "x"], input="garbage", text=True, check=True)
        SERVICE.process.wait_until(lambda: SERVICE.process.total("portrait_dead_letters_total") >= 1, "a dead letter", 30)
        served = {re.sub(r"\{.*", "", name) for name in SERVICE.process.metrics()}
        asked = set(re.findall(r"\bportrait_\w+", (ROOT / "deploy/grafana/portrait.json").read_text() +
                               (ROOT / "deploy/prometheus/alerts.yaml").read_text()))
        self.assertGreater(len(asked), 20)
        elsewhere = {"portrait_standby_lag_records", "portrait_shadow_changes_total"}  # with a standby, with rules in the shadow
        elsewhere |= {f"portrait_churn_examples_{what}total" for what in ("", "no_order_", "said_no_order_", "squared_error_")}
        elsewhere |= {f"portrait_shadow_{what}_total" for what in ("judged", "said_no_order", "alerts")}  # with models in the shadow
        self.assertEqual(asked - served - elsewhere, set())


if __name__ == "__main__":
    try:
        unittest.main(argv=sys.argv[:1] + sys.argv[3:], verbosity=2)
    except SystemExit as end:
        if end.code and "SERVICE" in globals() and os.path.exists(SERVICE.log.name):
            print(SERVICE.log_text()[-3000:])
        raise
