"""report.html: what a browser shows is what report.json says, for every kind of report and without a network."""

import json
import subprocess
import sys

sys.dont_write_bytecode = True  # the source folder stays as it is
import sample_reports
import workbench
from browser import Browser
from workbench import Case

FIELDS = """[...document.querySelectorAll('[data-field]')].map(e =>
    [e.dataset.field, e.localName === 'data' ? e.value : e.localName === 'time' ? e.dateTime : e.textContent])"""
HOSTILE = "<img src=x onerror=alert(1)></script><b>&amp;"
UNKNOWN = "–"  # what stands for a value that is null
COLOURS = """['page', 'card', 'text', 'soft', 'accent', 'good', 'warn', 'bad', 'plot-1', 'plot-2', 'plot-3', 'plot-4', 'plot-5', 'plot-6'].map(
    name => [name, getComputedStyle(document.documentElement).getPropertyValue('--' + name).trim()])"""


def member(report, pointer):
    for key in pointer.split("/")[1:]:
        key = key.replace("~1", "/").replace("~0", "~")
        report = report[int(key)] if isinstance(report, list) else report.get(key)
        if report is None:
            return None
    return report


def luminance(colour):
    parts = [int(colour[i:i + 2], 16) / 255 for i in (1, 3, 5)]
    r, g, b = (p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * r + 0.7152 * g + 0.0722 * b


def contrast(a, b):
    """Of two colours; WCAG asks for 4.5 for text and 3 for what is drawn."""
    bright, dark = sorted((luminance(a), luminance(b)), reverse=True)
    return (bright + 0.05) / (dark + 0.05)


class Page(Case):
    def setUp(self):
        super().setUp()
        self.browser = None

    def check_page(self, must_show=()):
        """The page of self.out: valid, complete, self-contained, and right."""
        self.assert_valid((self.out / "report.html").read_text(encoding="utf-8"))
        browser = Browser()
        self.addCleanup(browser.close)
        self.browser = browser
        url = (self.out / "report.html").as_uri()
        for width, scheme in ((1280, "light"), (400, "dark"), (400, "light"), (1280, "dark")):
            with self.subTest(width=width, scheme=scheme):
                browser.look(width, scheme)
                browser.open(url)
                self.assertEqual(browser.complaints, [])
                self.assertLessEqual(browser.value("document.documentElement.scrollWidth"), width)
        self.assertEqual(set(browser.requests), {url, "data:,"} & set(browser.requests), "the page asked for something else")
        self.assert_fields_agree(must_show)
        self.assert_accessible()
        self.assert_valid("<!DOCTYPE html>" + browser.value("document.documentElement.outerHTML"))

    def assert_valid(self, html):
        tidy = subprocess.run(["tidy", "-quiet", "-errors", "--drop-empty-elements", "no", "--new-inline-tags", "data"], input=html, capture_output=True, text=True, timeout=workbench.PATIENCE)
        # This version does not know the element of HTML 5.
        complaints = [line for line in tidy.stderr.splitlines() if not line.endswith("<data> is not approved by W3C")]
        self.assertEqual(complaints, [])

    def assert_fields_agree(self, must_show):
        report = self.report
        shown = self.browser.value(FIELDS)
        self.assertGreater(len(shown), 4)
        self.assertEqual(set(must_show) - {pointer for pointer, _ in shown}, set(), "the page does not show these")
        for pointer, value in shown:
            expected = member(report, pointer)
            if expected in (None, ""):
                self.assertEqual(value, UNKNOWN, pointer)
            elif isinstance(expected, str):
                self.assertEqual(value, expected, pointer)
            else:
                self.assertEqual(json.loads(value), expected, pointer)

    def assert_accessible(self):
        value = self.browser.value
        levels = value("[...document.querySelectorAll('h1, h2, h3')].map(h => Number(h.localName[1]))")
        self.assertEqual(levels[0], 1)
        self.assertTrue(all(b <= a + 1 for a, b in zip(levels, levels[1:])), levels)
        self.assertEqual(value("[...document.querySelectorAll('canvas')].filter(c => !c.getAttribute('aria-label') || "
                               "!c.closest('figure').querySelector('details table')).length"), 0, "a plot without its table")
        self.assertEqual(value("[...document.querySelectorAll('table')].filter(t => !t.caption || !t.tHead).length"), 0)
        self.assertEqual(value("[...document.querySelectorAll('section')].filter(s => s.textContent.trim() === s.querySelector('h2').textContent).length"), 0)
        self.assertEqual(value("[...document.querySelectorAll('nav a')].filter(a => !document.querySelector(a.getAttribute('href'))).length"), 0)
        self.assertEqual(value("document.querySelectorAll('[onclick], [style*=position], img, script[src], link[rel=stylesheet]').length"), 0)
        for scheme in ("light", "dark"):
            self.browser.look(1280, scheme)
            colours = dict(value(COLOURS))
            for name in ("text", "soft", "accent", "good", "warn", "bad"):
                for ground in ("page", "card"):
                    self.assertGreaterEqual(contrast(colours[name], colours[ground]), 4.5, (scheme, name, ground))
            for name in (f"plot-{i}" for i in range(1, 7)):
                self.assertGreaterEqual(contrast(colours[name], colours["card"]), 3, (scheme, name))

    def text_of(self, selector):
        return self.browser.value(f"document.querySelector({json.dumps(selector)}).innerText")

    def write_report(self, report):
        """Makes a page from a report that no run wrote."""
        self.out.mkdir()
        (self.out / "report.json").write_text(json.dumps(report), encoding="utf-8")
        done = self.ocrpipe("report", self.out)
        self.assert_exit(done, 0)
        self.assertEqual(done.stdout, f"{self.out}/report.json\n")


class MadeUp(Page):
    def test_a_run_of_100_000_documents(self):
        report = sample_reports.large_run(hostile=HOSTILE)
        self.write_report(report)
        last = len(report["series"]["rows"]) - 1
        self.check_page({"/verdict", "/done", "/found", "/failed", "/paid/accepted", "/paid/in_doubt", "/documents_per_second", "/latency/end_to_end/p95",
                         "/latency/time_to_ready_low/p50", "/peaks/backlog", "/limits/limiting/outage", "/limits/pauses/outage/seconds", "/errors/0/message",
                         "/errors/3/document", "/errors/1/remedy", "/failed_by_class/rejected", "/http_statuses/submit/429", "/slowest/9/request_id",
                         "/configuration/base_url", f"/series/rows/{last}/3", f"/series/rows/{last}/8", f"/series/rows/{last}/10", "/document_polls/p95"})
        self.assertEqual(self.browser.value("document.querySelectorAll('canvas').length"), 6)
        self.assertEqual(self.text_of("[data-field='/done']"), "99,600")
        self.assertEqual(self.text_of("[data-field='/slowest/0/document']"), f"scans/2026/{HOSTILE}.pdf")
        self.assertIn("Finished", self.text_of("#state"))
        self.assertIn("13.2 a second", self.text_of("#verdict"))

    def test_a_run_that_goes_on_says_how_far_it_is_and_how_long_it_takes(self):
        report = sample_reports.large_run(state="running")
        self.write_report(report)
        self.check_page({"/eta/seconds", "/eta/low", "/eta/high", "/now/documents_per_second", "/now/limiting", "/unfinished", "/not_sent"})
        self.assertIn("47 min 40 s left: 43 min 30 s to 53 min 10 s", " ".join(self.text_of("#glance").split()))
        # Written long ago by the clock of whoever reads it.
        self.assertIn("No longer written", self.text_of("#state"))
        self.assertEqual(self.browser.value("document.querySelector('progress').max"), report["found"])

    def test_a_load_test(self):
        report = sample_reports.load_test()
        self.write_report(report)
        self.check_page({"/verdict", "/load/arrivals", "/latency/end_to_end/p95", "/load/offered_per_second", "/load/outcomes/unfinished", "/load/end_to_end/p95/low",
                         "/load/backlog/slope", "/load/backlog/low", "/load/backlog/high", "/load/thresholds/0/seen", "/load/thresholds/1/holds",
                         "/latency/parts/p95", "/load/time_to_parts/p95/low", "/parts", "/parts_failed", "/parts_wanted", "/load/capacity/low", "/load/capacity/estimate", "/load/capacity/steps/4/rate", "/load/generator/send_delay/p99", "/load/little/rate_times_time"})
        self.assertIn("missed", self.text_of("#load"))
        self.assertIn("at least 29.4 s", self.text_of("#survival"))

    def test_a_test_shorter_than_the_interval_of_samples_says_so(self):
        report = sample_reports.load_test()
        columns = report["series"]["columns"]
        report["series"]["rows"] = [[0 if name in ("in_flight", "backlog") else value for name, value in zip(columns, report["series"]["rows"][1])]]
        report["peaks"].update({"in_flight": 7, "backlog": 5})
        self.write_report(report)
        self.check_page({"/peaks/in_flight", "/peaks/backlog"})
        self.assertIn("Between them, at most 7 were in flight, and the largest backlog was 5.", self.text_of("#time"))

    def test_a_report_with_nothing_in_it_is_still_a_page(self):
        self.write_report({"version": "0.1.0", "kind": "run", "state": "stopped", "updated_at": "2026-03-01T06:00:00.000Z"})
        self.check_page()


class Real(Page):
    def test_an_empty_run(self):
        (self.folder / "in").mkdir()
        self.start_emulator()
        self.assert_exit(self.run_bulk(self.folder / "in"), 3)
        self.check_page({"/verdict", "/done", "/failed"})
        self.assertIn("Nothing to plot", self.text_of("#time"))
        self.assertEqual(self.browser.value("document.querySelectorAll('#time canvas').length"), 0)
        self.assertIn("Nothing has been measured", self.text_of("#latency"))
        self.assertIn("No document has been finished", self.text_of("#slowest"))
        self.assertIn("Nothing has failed", self.text_of("#errors"))

    def test_a_failed_run_with_names_that_are_markup(self):
        self.start_emulator("--fault", "job-failed")
        for i in range(3):
            self.write(f"in/{i}-<img src=x onerror=alert(1)>.pdf")
        self.assert_exit(self.run_bulk(self.folder / "in"), 1)
        self.check_page({"/verdict", "/failed", "/errors/0/class", "/errors/0/document", "/failed_by_class/job_failed", "/http_statuses/submit/201"})
        self.assertIn("<img src=x onerror=alert(1)>", self.text_of("#errors"))
        self.assertEqual(self.text_of("[data-field='/failed']"), "3")
        self.assertIn("Nothing to plot: median, 95th percentile", self.text_of("#time"))

    def test_the_report_command_writes_the_page_again(self):
        self.start_emulator()
        self.assert_exit(self.run_bulk(self.write_documents(20)), 0)
        (self.out / "report.html").unlink()
        self.assert_exit(self.ocrpipe("report", self.out), 0)
        self.check_page({"/verdict", "/done", "/latency/end_to_end/p50", "/series/rows/0/3", "/http_statuses/submit/201"})
        self.assertEqual(self.text_of("[data-field='/done']"), "20")


if __name__ == "__main__":
    workbench.main()
