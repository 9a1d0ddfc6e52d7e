"""report.json as large runs and load tests write it, made up: what a page must show without running for days."""

import datetime
import math
import random

START = datetime.datetime(2026, 3, 1, 6, 0, 0, tzinfo=datetime.timezone.utc)
GROWTH = 1.02  # of the histogram's bins


def iso(seconds):
    return (START + datetime.timedelta(seconds=seconds)).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def latency(values):
    """A member of `latency` for these seconds."""
    if not values:
        return {"count": 0, "mean": None, "min": None, "max": None, "p50": None, "p90": None, "p95": None, "p99": None,
                "relative_error": 0.01, "buckets": []}
    ordered = sorted(values)
    bins = {}
    for v in ordered:
        i = math.floor(math.log(max(v, 1e-4) / 1e-4, GROWTH))
        bins[i] = bins.get(i, 0) + 1
    percentile = lambda p: round(ordered[min(len(ordered) - 1, math.ceil(p * len(ordered)) - 1)], 6)
    return {"count": len(ordered), "mean": round(sum(ordered) / len(ordered), 6), "min": round(ordered[0], 6), "max": round(ordered[-1], 6),
            "p50": percentile(.5), "p90": percentile(.9), "p95": percentile(.95), "p99": percentile(.99), "relative_error": 0.01,
            "buckets": [[round(1e-4 * GROWTH**i, 8), round(1e-4 * GROWTH**(i + 1), 8), n] for i, n in sorted(bins.items())]}


def large_run(documents=100_000, state="finished", hostile="<img src=x onerror=alert(1)></script><b>&amp; \u202e"):
    """A run of many documents over two hours, with an outage; some names try to be markup."""
    rng = random.Random(7)
    done = documents if state == "finished" else documents * 6 // 10
    failed = done // 250
    done -= failed
    rate, interval = 14.0, 16
    rows, backlog, seconds, finished, accepted = [], 0, 0, 0, 0
    while finished < done + failed:
        outage = 2400 <= seconds < 2880
        wave = 1 + 0.25 * math.sin(seconds / 900) + rng.uniform(-.08, .08)
        into = 0 if outage or accepted >= documents else min(documents - accepted, round(rate * wave * interval))
        out = 0 if outage else min(done + failed - finished, backlog + into, round(rate * (1 + rng.uniform(-.1, .1)) * interval * (1.15 if backlog > 900 else 1)))
        accepted, finished, backlog = accepted + into, finished + out, backlog + into - out
        bad = round(out * failed / (done + failed))
        p50 = None if out == 0 else round(6 + backlog / 40 + rng.uniform(-.5, .5), 3)
        rows.append([seconds, into + (1 if rng.random() < .1 else 0), into, out - bad, bad, into * 48_211, out * 3, min(1000, backlog + 28), backlog,
                     p50, None if p50 is None else round(p50 * 2.2, 3)])
        seconds += interval
    ready = [rng.lognormvariate(2.1, .5) for _ in range(20_000)]
    report = {
        "version": "0.1.0", "started_at": iso(0), "finished_at": iso(seconds) if state == "finished" else None,
        "seconds": float(seconds) if state == "finished" else None, "ended_by": None, "source_exhausted": True,
        "found": documents, "done": done, "done_in_part": 3, "done_empty": 41, "to_ask_again": 0, "copies": 0, "failed": failed,
        "unfinished": 0 if state == "finished" else 850, "not_sent": documents - done - failed - (0 if state == "finished" else 850), "repeated": 0,
        "possible_duplicates": 0, "done_now": done, "asked_again": 41, "renewed": 2, "unrecognized": 0, "taken_up": 0, "unreadable": 2, "changed_files": 0,
        "links_skipped": 0, "too_young": 0, "empty_inputs": 0, "parts": 0, "parts_failed": 0, "parts_wanted": 0, "bytes": accepted * 48_211,
        "submits": accepted + 312, "polls": accepted * 3, "throttled": 187, "transport_failures": 125,
        "failed_by_class": {"ambiguous_submit": 12, "job_failed": failed - 212, "rejected": 200}, "parts_failed_by_class": {},
        "documents_per_second": round(done / seconds, 3) if state == "finished" else None,
        "bytes_per_second": round(accepted * 48_211 / seconds, 3) if state == "finished" else None, "polls_per_document": 3.012,
        "kind": "run", "state": state, "updated_at": iso(seconds - 3),
        "verdict": f"{done:,} of {documents:,} documents are done, at {done / seconds:.1f} a second; {failed} failed. The service was the limit for 71 % of the time: "
                   "it answers as fast as it can, and more connections would not help.",
        "now": {"documents_per_second": None if state == "finished" else 13.7, "limiting": "service", "in_flight": 0 if state == "finished" else 878,
                "backlog": 0 if state == "finished" else 850},
        "eta": None if state == "finished" else {"seconds": 2860.0, "low": 2610.0, "high": 3190.0},
        "paid": {"accepted": accepted, "in_doubt": 12, "possible_duplicates": 0},
        "latency": {
            "wait_for_turn": latency([rng.expovariate(4) for _ in range(9000)]), "wait_for_rate": latency([0.0002] * 9000),
            "wait_for_connection": latency([rng.uniform(.01, .06) for _ in range(40)]), "submit": latency([rng.lognormvariate(-1.6, .4) for _ in range(9000)]),
            "poll": latency([rng.lognormvariate(-3.4, .3) for _ in range(20_000)]), "part": latency([]),
            "time_to_ready_low": latency([max(0, r - rng.uniform(0, 4)) for r in ready]), "time_to_ready_high": latency(ready),
            "end_to_end": latency([r + .3 for r in ready])},
        "document_polls": {"count": done, "mean": 3.01, "p50": 3, "p95": 6, "max": 44},
        "series": {"interval": interval, "start": iso(0), "rows": rows,
                   "columns": ["t", "submitted", "accepted", "finished", "failed", "bytes", "polls", "in_flight", "backlog", "p50", "p95"]},
        "http_statuses": {"submit": {"201": accepted, "429": 187, "502": 12, "connection_closed": 113}, "result": {"200": accepted * 3, "503": 94}},
        "errors": [
            {"class": "job_failed", "kind": "document", "count": failed - 212, "document": "scans/2026/" + hostile + ".pdf",
             "message": "the service could not read the document: " + hostile, "remedy": None},
            {"class": "rejected", "kind": "document", "count": 200, "document": "scans/" + "a-very-long-name-without-a-break-" * 6 + ".pdf",
             "message": "status 415 unsupported media", "remedy": "check --doc-type, --flow and --file-type"},
            {"class": "ambiguous_submit", "kind": "document", "count": 12, "document": "scans/2026/000311.pdf", "message": "the connection was closed after the body had been sent",
             "remedy": "ask the service's support whether it has the document"},
            {"class": "unreadable_file", "kind": "input", "count": 2, "document": "scans/locked.pdf", "message": "permission denied", "remedy": None}],
        "limits": {"limiting": {"service": seconds * .71, "in-flight cap": seconds * .18, "outage": 480.0, "source": seconds * .04},
                   "waited": {"turn": 2210.5, "pause": 13_440.0, "submit_rate": 0, "poll_rate": 0, "bandwidth": 0},
                   "pauses": {"throttled": {"count": 41, "seconds": 61.5}, "outage": {"count": 1, "seconds": 480.0}, "credentials": {"count": 0, "seconds": 0}}},
        "slowest": [{"document": ("scans/2026/" + hostile + ".pdf") if i == 0 else f"scans/2026/{rng.randrange(10**6):06}.pdf", "request_id": f"r1771{i}-{rng.randrange(10**8):010}",
                     "seconds": round(610.2 - 7.3 * i, 3), "submit": .21, "ready_low": round(604.1 - 7.3 * i, 3), "ready_high": round(608.9 - 7.3 * i, 3),
                     "polls": 44 - i, "bytes": rng.randrange(10_000, 900_000)} for i in range(10)],
        "peaks": {"in_flight": 1000, "in_flight_at": iso(1200), "backlog": 990, "backlog_at": iso(1300)},
        "configuration": {"base_url": "https://maas-llm-aiplatform-hcm.api.vngcloud.vn", "portal_user_id": "4711", "flow": "single", "doc_type": "invoice",
                          "inputs": "scans/", "max_inflight": "1000", "connections": "28", "poll_interval": "2s-5s"}}
    return report


def load_test():
    """A load test that offered more than the service could take."""
    report = large_run(3_000)
    report.update({"parts": 5_340, "parts_failed": 9, "parts_wanted": 3, "parts_failed_by_class": {"service_error": 9}})
    report["latency"]["parts"] = latency([0.02, 0.03, 0.41] * 892)
    report.update({
        "kind": "load", "configuration": {"base_url": "http://127.0.0.1:8089", "arrivals": "poisson 25/s for 2m", "limiters": "off"},
        "verdict": "The service finished 22.4 documents a second of the 25 offered; the backlog grew by 2.6 a second, so the service is the limit. "
                   "One of three thresholds was missed.",
        "load": {
            "arrivals": "poisson, 25/s for 2m", "arrival_seconds": 120.0, "total_seconds": 180.0, "warm_up_seconds": 12.5,
            "outcomes": {"due": 3000, "accepted": 3000, "done": 2676, "failed": 12, "unfinished": 312},
            "offered_per_second": 25.0, "throughput_per_second": 22.4, "bytes_per_second": 1_080_000.0, "error_rate": 0.004, "polls_per_document": 3.1,
            "end_to_end": censored(3000, 312, 8.1, None), "time_to_ready_low": censored(3000, 312, 6.2, None),
            "time_to_ready_high": censored(3000, 312, 7.9, None), "completed_only": censored(2100, 0, 6.4, 14.1), "time_to_parts": censored(2676, 1, 0.03, 0.5),
            "backlog": {"slope": 2.6, "low": 2.2, "high": 3.0, "grows": True}, "little": {"sampled_in_flight": 201.4, "rate_times_time": 198.7},
            "generator": {"bottleneck": None, "cpu_share": 0.21, "send_delay_bound": 0.01, "start_delay": latency([0.0002, 0.0003, 0.0013] * 40),
                          "send_delay": latency([0.0004, 0.0005, 0.0061] * 40)},
            "thresholds": [{"condition": "e2e.p95<30s", "value": None, "seen": ">= 29.4 s (10.4 % unfinished)", "holds": False},
                           {"condition": "error_rate<1%", "value": 0.004, "seen": "0.4 %", "holds": True}],
            "capacity": {"estimate": 22.1, "low": 21.9, "high": 22.5, "limit": "the backlog grows",
                         "steps": [{"rate": r, "passed": r < 22.4, "throughput": min(r, 22.4), "backlog_grows": r > 22.4, "why": "" if r < 22.4 else "the backlog grows"}
                                   for r in (10.0, 20.0, 40.0, 22.5, 21.9)]}}})
    return report


def censored(count, unfinished, median, high):
    """A member of `load` with percentiles of which some have only a lower bound."""
    known = {"low": median, "estimate": median, "high": median}
    between = {"low": median * 1.6, "estimate": median * 1.7, "high": high}
    return {"count": count, "censored": unfinished, "p50": known, "p90": between, "p95": between if high else {"low": 29.4, "estimate": None, "high": None},
            "p99": between if high else {"low": 29.4, "estimate": None, "high": None}}
