"""`ocrpipe run` on the same directory again, after whatever ended it."""

import os
import pathlib
import signal
import subprocess
import sys

sys.dont_write_bytecode = True  # the source folder stays as it is
import workbench
from workbench import KEY, Runs


class Resume(Runs):
    def interrupt_with_jobs_under_way(self, process, count):
        self.wait_for_event(process, "progress", lambda o: o["waiting"] == count)
        process.send_signal(signal.SIGINT)
        self.wait_for_event(process, "stopping")
        process.send_signal(signal.SIGINT)
        output, errors = process.communicate(timeout=workbench.PATIENCE)
        return subprocess.CompletedProcess([], process.returncode, output, errors)

    def test_the_same_command_again_sends_nothing_and_writes_nothing_twice(self):
        self.serve()
        folder = self.write_documents(20)
        self.assert_exit(self.run_bulk(folder), 0)
        before = (self.out / "results-00001.jsonl").read_bytes()
        done = self.run_bulk(folder)
        self.assert_exit(done, 0)
        self.assertEqual((self.out / "results-00001.jsonl").read_bytes(), before)
        self.assertEqual(len(self.accepted), 20)
        self.assertEqual((self.report["done"], self.report["done_now"], self.report["submits"]), (20, 0, 0))

    def test_new_documents_are_read_and_known_ones_are_not(self):
        self.serve()
        folder = self.write_documents(5)
        self.assert_exit(self.run_bulk(folder), 0)
        self.write_documents(8)
        self.assert_exit(self.run_bulk(folder), 0)
        self.assert_one_result_each(8)
        self.assertEqual(len(self.accepted), 8)

    def test_jobs_of_an_interrupted_run_are_asked_for_and_never_sent_again(self):
        self.serve("--latency", "fixed:3s")
        folder = self.write_documents(6)
        left = self.interrupt_with_jobs_under_way(self.start("run", folder, "--out", self.out, "--doc-type", "invoice"), 6)
        self.assert_exit(left, 130)
        self.assertIn(f"ocrpipe run {folder} --out {self.out} --doc-type invoice", left.stderr)
        self.assertEqual(self.results, [])
        self.assertEqual(self.failures, [])
        self.assertEqual(self.report["unfinished"], 6)
        self.assert_exit(self.run_bulk(folder), 0)
        self.assert_one_result_each(6)
        self.assertEqual(len(self.accepted), 6)
        self.assertEqual(self.report["taken_up"], 6)

    def test_a_killed_run_loses_nothing(self):
        self.serve("--latency", "fixed:2s")
        folder = self.write_documents(6)
        process = self.start("run", folder, "--out", self.out, "--doc-type", "invoice")
        self.wait_for_event(process, "progress", lambda o: o["waiting"] == 6)
        process.kill()
        process.wait()
        self.assert_exit(self.ocrpipe("report", self.out), 0)
        self.assertEqual([self.report[key] for key in ("started_at", "finished_at", "seconds", "unfinished")], [None, None, None, 6])
        self.assert_exit(self.run_bulk(folder), 0)
        self.assert_one_result_each(6)
        self.assertEqual(len(self.accepted), 6)

    def test_drain_timeout_leaves_what_is_not_finished_for_the_next_run(self):
        self.serve("--fault", "endless-pending")
        folder = self.write_documents(3)
        process = self.start("run", folder, "--out", self.out, "--doc-type", "invoice", "--drain-timeout", "50ms")
        self.wait_for_event(process, "progress", lambda o: o["waiting"] == 3)
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=workbench.PATIENCE)
        self.assertEqual(process.returncode, 143, errors)
        self.assertEqual(self.report["unfinished"], 3)
        self.assertEqual(self.failures, [])

    def test_a_torn_last_line_and_an_unrecorded_one_are_repaired(self):
        self.serve()
        folder = self.write_documents(3)
        self.assert_exit(self.run_bulk(folder), 0)
        path = self.out / "results-00001.jsonl"
        with path.open("ab") as results:
            results.write(b'{"id":"unknown","request_id":"nobody knows"}\n{"id":"torn off in the mi')
        self.assert_exit(self.run_bulk(folder), 0)
        self.assert_one_result_each(3)
        self.assertEqual(len(self.accepted), 3)

    def test_a_second_process_on_the_same_directory_is_refused_with_7(self):
        self.serve("--fault", "endless-pending")
        folder = self.write_documents(1)
        process = self.start("run", folder, "--out", self.out, "--doc-type", "invoice")
        self.wait_for_event(process, "progress", lambda o: o["waiting"] == 1)
        second = self.run_bulk(folder)
        self.assert_exit(second, 7)
        self.assertIn("another process", second.stderr)
        self.assertEqual(second.stdout, "")
        status = self.ocrpipe("status", self.out)  # which only looks
        self.assert_exit(status, 0)
        self.assertIn("1  submitted", status.stdout)

    def test_results_without_their_ledger_are_refused_and_not_touched(self):
        self.serve()
        folder = self.write_documents(1)
        self.assert_exit(self.run_bulk(folder), 0)
        for path in self.out.glob("ledger*"):
            path.unlink()
        before = (self.out / "results-00001.jsonl").read_bytes()
        done = self.run_bulk(folder)
        self.assert_exit(done, 2)
        self.assertIn("ledger", done.stderr)
        self.assertEqual((self.out / "results-00001.jsonl").read_bytes(), before)

    def test_results_shorter_than_the_ledger_says_give_8_and_send_nothing(self):
        self.serve()
        folder = self.write_documents(2)
        self.assert_exit(self.run_bulk(folder), 0)
        path = self.out / "results-00001.jsonl"
        path.write_bytes(path.read_bytes()[:-10])
        self.write_documents(3)
        done = self.run_bulk(folder)
        self.assert_exit(done, 8)
        self.assertIn("results-00001.jsonl", done.stderr)
        self.assertEqual(len(self.accepted), 2)

    def test_a_changed_file_is_read_again_and_a_touched_one_is_not(self):
        self.serve()
        folder = self.write_documents(2)
        self.assert_exit(self.run_bulk(folder), 0)
        self.write("in/000.pdf", "%PDF-1.4 another content")
        os.utime(folder / "001.pdf", (1, 1))
        self.assert_exit(self.run_bulk(folder), 0)
        self.assertEqual(len(self.accepted), 3)
        self.assertEqual(len(self.results), 3)
        self.assertEqual(self.report["done"], 2)

    def test_changed_options_are_refused_with_4_until_they_are_accepted(self):
        self.serve()
        folder = self.write_documents(2)
        self.assert_exit(self.run_bulk(folder), 0)
        changed = ("run", folder, "--out", self.out, "--doc-type", "receipt")
        done = self.ocrpipe(*changed)
        self.assert_exit(done, 4)
        self.assertIn('doc_type was \\"invoice\\" and is \\"receipt\\"', done.stderr)
        self.assertEqual(len(self.accepted), 2)
        self.assert_exit(self.ocrpipe(*changed, "--accept-changes"), 0)
        self.assertEqual(len(self.accepted), 4)
        self.assert_exit(self.ocrpipe(*changed), 0)
        self.assertEqual(len(self.accepted), 4)

    def test_options_are_corrected_freely_while_nothing_was_sent(self):
        self.serve()
        folder = self.write_documents(2)
        self.assert_exit(self.run_bulk(folder, "--portal-user-id", "9"), 4)
        self.assert_exit(self.run_bulk(folder), 0)
        self.assertEqual(len(self.accepted), 2)

    def test_relative_names_in_another_directory_are_refused_with_4(self):
        self.serve()
        for month in ("jan", "feb"):
            self.write(f"{month}/scans/000.pdf", f"%PDF-1.4 of {month}")
        self.assert_exit(self.run_bulk("scans", cwd=self.folder / "jan"), 0)
        for command in (("run", "scans", "--out", self.out, "--doc-type", "invoice"), ("retry", self.out)):
            done = self.ocrpipe(*command, cwd=self.folder / "feb")
            self.assert_exit(done, 4)
            self.assertIn(str(self.folder / "jan"), done.stderr)
        self.assert_exit(self.run_bulk("scans", cwd=self.folder / "jan"), 0)
        self.assertEqual(len(self.accepted), 1)
        self.assertEqual(len(self.results), 1)

    def test_other_fields_of_the_profile_are_refused_with_4_and_send_nothing_that_may_be_billed_again(self):
        self.serve("--latency", "fixed:20ms", "--fault", "reset-after-acceptance:count=1")
        folder = self.write_documents(3)
        self.assert_exit(self.run_bulk(folder), 1)
        profile = self.write("profile.json", '{"extra_fields": {"model": "idp"}}')
        for command in (("run", folder, "--out", self.out, "--doc-type", "invoice"), ("retry", self.out)):
            done = self.ocrpipe(*command, "--profile", profile)
            self.assert_exit(done, 4)
            self.assertIn("model=idp", done.stderr)
        self.assertEqual(len(self.accepted), 3)

    def test_names_on_standard_input_from_another_directory_are_refused_with_4(self):
        self.serve()
        for month in ("jan", "feb"):
            self.write(f"{month}/000.pdf", f"%PDF-1.4 of {month}")
        for month, code in (("jan", 0), ("feb", 4), ("jan", 0)):
            self.assert_exit(self.run_bulk("-", stdin="000.pdf\n", cwd=self.folder / month), code)
        self.assertEqual(len(self.accepted), 1)

    def test_a_corrected_manifest_leaves_no_line_of_its_mistake(self):
        self.serve()
        self.write_documents(2)
        row = '{"path": "in/%s.pdf", "id": "%s"}\n'
        self.assert_exit(self.run_bulk(self.write("m.jsonl", row % ("000", "A") + row % ("001", "A"))), 3)
        self.assert_exit(self.run_bulk(self.write("m.jsonl", row % ("000", "A") + row % ("001", "B"))), 0)
        self.assertEqual(self.failures, [])

    def test_its_own_failures_are_no_manifest_of_a_run(self):
        self.serve("--fault", "job-failed")
        self.assert_exit(self.run_bulk(self.write_documents(1)), 1)
        done = self.run_bulk(self.out / "failures.jsonl")
        self.assert_exit(done, 2)
        self.assertIn("ocrpipe retry", done.stderr)

    def test_a_folder_under_another_name_is_refused_with_4_and_sent_once(self):
        self.serve()
        folder = self.write_documents(2)
        self.assert_exit(self.run_bulk(folder), 0)
        (self.folder / "link").symlink_to(folder)
        for name in (self.folder / "link", folder.name):
            done = self.run_bulk(name)
            self.assert_exit(done, 4)
            self.assertIn(str(folder), done.stderr)
            self.assert_exit(self.run_bulk(folder, name), 2)
        (folder / "below").mkdir()
        done = self.run_bulk(self.folder / "link" / "below")
        self.assert_exit(done, 4)
        self.assertIn(str(folder / "below"), done.stderr)
        self.assert_exit(self.run_bulk(folder / "below"), 3)  # it is empty
        self.assert_exit(self.run_bulk(str(folder) + "/"), 0)
        self.assert_exit(self.run_bulk(folder / "000.pdf"), 0)
        self.assertEqual(len(self.accepted), 2)

    def test_an_input_that_cannot_be_read_stays_reported_until_a_run_looks_there_again(self):
        self.serve("--latency", "fixed:20ms", "--fault", "job-failed:count=1")
        self.write("in/empty.pdf", b"")
        manifest = self.write("rows.jsonl", '{"path": "gone.pdf"}\n')
        missing = self.folder / "missing.pdf"
        self.assert_exit(self.run_bulk(self.write_documents(1), manifest, missing), 1)
        unreadable = {str(self.folder / name) for name in ("in/empty.pdf", "gone.pdf", "missing.pdf")}

        def reported():
            return [f["path"] for f in self.failures if "id" not in f]

        self.assertEqual(set(reported()), unreadable)
        self.assert_exit(self.ocrpipe("retry", self.out), 0)
        self.assertEqual(set(reported()), unreadable)
        self.assert_exit(self.run_bulk(self.write_documents(1, "other")), 0)
        self.assertEqual(set(reported()), unreadable)
        self.assert_exit(self.run_bulk(self.folder / "in", "rows.jsonl"), 3)
        self.assertEqual((set(reported()), len(reported())), (unreadable, 3))
        self.write("in/empty.pdf", "%PDF-1.4 no longer empty")
        self.write("gone.pdf", "%PDF-1.4 there again")
        self.assert_exit(self.run_bulk(self.folder / "in", manifest), 0)
        self.assertEqual(reported(), [str(missing)])
        self.write("missing.pdf")
        self.assert_exit(self.run_bulk(missing), 0)
        self.assertEqual(self.failures, [])

    def test_a_file_that_retry_cannot_read_is_reported_once(self):
        self.serve("--latency", "fixed:20ms", "--fault", "job-failed:count=1")
        folder = self.write_documents(1)
        self.assert_exit(self.run_bulk(folder), 1)
        (folder / "000.pdf").unlink()
        for _ in range(3):
            self.assert_exit(self.ocrpipe("retry", self.out), 1)
            self.assertEqual([f["class"] for f in self.failures], ["unreadable_file", "job_failed"])

    def test_an_id_that_two_documents_share_is_reported_and_the_first_one_stands(self):
        self.serve()
        self.write_documents(2)
        manifest = self.write("twice.jsonl", '{"path": "in/000.pdf", "id": "A"}\n{"path": "in/001.pdf", "id": "A"}\n'
                                             '{"path": "in/000.pdf", "id": "A"}\n')
        for _ in range(2):
            self.assert_exit(self.run_bulk(manifest), 3)
            self.assertEqual([r["path"] for r in self.results], [str(self.folder / "in" / "000.pdf")])
            self.assertEqual(len(self.accepted), 1)
            self.assertEqual([f["path"] for f in self.failures], [str(self.folder / "in" / "001.pdf")])
            self.assertIn("give each document its own", self.failures[0]["message"])

    def test_an_id_shared_with_a_copy_of_another_document_leaves_the_first_one_its_result(self):
        self.serve("--latency", "fixed:100ms")
        for name, content in (("x", "one"), ("y", "two"), ("copy", "one")):
            self.write(f"in/{name}.pdf", "%PDF-1.4 " + content)
        self.assert_exit(self.run_bulk(self.write("first.jsonl", '{"path": "in/x.pdf", "id": "A"}\n'), "--dedupe", "content"), 0)
        manifest = self.write("more.jsonl", '{"path": "in/y.pdf", "id": "B"}\n{"path": "in/copy.pdf", "id": "B"}\n')
        self.assert_exit(self.run_bulk(manifest, "--dedupe", "content"), 3)
        self.assertEqual([(r["id"], pathlib.Path(r["path"]).name) for r in self.results], [("A", "x.pdf"), ("B", "y.pdf")])
        self.assertEqual(len(self.accepted), 2)

    def test_a_file_that_is_to_be_read_in_two_ways_needs_two_ids(self):
        self.serve()
        self.write_documents(1)
        row = '{"path": "in/000.pdf", "doc_type": "%s"}\n'
        manifest = self.write("both.jsonl", row % "invoice" + row % "receipt")
        for _ in range(3):
            self.assert_exit(self.run_bulk(manifest), 3)
            self.assertEqual(len(self.accepted), 1)
            self.assertIn("give it another id here", self.failures[0]["message"])
        named = '{"path": "in/000.pdf", "doc_type": "%s", "id": "%s"}\n'
        manifest = self.write("both.jsonl", named % ("invoice", "i") + named % ("receipt", "r"))
        for _ in range(2):
            self.assert_exit(self.ocrpipe("run", manifest, "--out", self.folder / "named"), 0)
            self.assertEqual(len(self.accepted), 3)

    def test_a_document_given_twice_is_sent_once(self):
        self.serve()
        folder = self.write_documents(3)
        self.assert_exit(self.run_bulk(folder, folder / "000.pdf", folder), 0)
        self.assert_one_result_each(3)
        self.assertEqual(len(self.accepted), 3)

    def test_a_document_given_twice_whose_answer_is_lost_is_sent_once(self):
        # more in a row would be an outage
        self.serve("--latency", "fixed:20ms", "--fault", "reset-after-acceptance:count=7")
        folder = self.write_documents(40)
        self.assert_exit(self.run_bulk(folder, folder), 1)
        self.assertEqual(len(self.accepted), 40)
        self.assertEqual(len(self.failures), 7)

    def test_every_answer_is_lost_and_few_documents_are_risked(self):
        self.serve("--latency", "fixed:20ms", "--fault", "reset-after-acceptance")
        self.assert_exit(self.run_bulk(self.write_documents(90), "--max-outage", "2s"), 6)
        self.assertLessEqual(len(self.accepted), 30)
        self.assertEqual(len(self.failures), len(self.accepted))
        self.assertEqual(self.report["not_sent"], self.report["found"] - len(self.accepted))

    def test_results_stay_when_their_documents_are_sent_again_and_fail(self):
        self.serve()
        folder = self.write_documents(5)
        self.assert_exit(self.run_bulk(folder), 0)
        before = (self.out / "results-00001.jsonl").read_bytes()
        self.emulator.close()
        self.serve("--fault", "job-failed")
        again = ("run", folder, "--out", self.out, "--doc-type", "receipt", "--base-url", self.emulator.url, "--accept-changes")
        for _ in range(2):
            self.assert_exit(self.ocrpipe(*again), 1)
            self.assertEqual((self.out / "results-00001.jsonl").read_bytes(), before)
        self.assertEqual(len(self.failures), 5)


class Ambiguous(Runs):
    def lose_two_answers(self):
        self.serve("--latency", "fixed:20ms", "--fault", "reset-after-acceptance:count=2")
        folder = self.write_documents(5)
        done = self.run_bulk(folder)
        self.assert_exit(done, 1)
        self.assertEqual({f["class"] for f in self.failures}, {"ambiguous_submit"})
        self.assertEqual(len(self.failures), 2)
        return folder

    def test_ambiguous_documents_are_held_in_every_further_run(self):
        folder = self.lose_two_answers()
        self.assert_exit(self.run_bulk(folder), 1)
        self.assert_exit(self.ocrpipe("retry", self.out), 1)
        self.assertEqual(len(self.accepted), 5)
        self.assertEqual(len(self.failures), 2)

    def test_ambiguous_documents_are_resubmitted_when_allowed_and_marked(self):
        folder = self.lose_two_answers()
        self.assert_exit(self.run_bulk(folder, "--on-ambiguous", "resubmit"), 0)
        self.assert_one_result_each(5)
        self.assertEqual(sum(r["possible_duplicate"] for r in self.results), 2)
        self.assertEqual(len(self.accepted), 7)
        self.assertEqual(self.failures, [])
        self.assertEqual(self.report["possible_duplicates"], 2)

    def test_retry_resubmits_them_when_their_class_is_named(self):
        self.lose_two_answers()
        self.assert_exit(self.ocrpipe("retry", self.out, "--class", "ambiguous_submit"), 0)
        self.assert_one_result_each(5)
        self.assertEqual(len(self.accepted), 7)

    def test_failures_given_back_as_a_manifest_do_not_resubmit_them(self):
        self.lose_two_answers()
        again = self.folder / "again"
        done = self.ocrpipe("run", self.out / "failures.jsonl", "--out", again, "--doc-type", "invoice")
        self.assert_exit(done, 1)
        self.assertEqual(len(self.accepted), 5)
        done = self.ocrpipe("run", self.out / "failures.jsonl", "--out", again, "--doc-type", "invoice", "--on-ambiguous", "resubmit")
        self.assert_exit(done, 0)
        self.assertEqual(len(self.accepted), 7)


class Secrets(Runs):
    def test_the_key_is_in_nothing_that_a_run_leaves_behind(self):
        self.serve("--latency", "fixed:20ms", "--fault", "job-failed:p=0.3", "--fault", "error-500-after-acceptance:p=0.2")
        said = [self.run_bulk(self.write_documents(20), "--log-level", "debug")]
        said.append(self.ocrpipe("retry", self.out, "--log-level", "debug"))
        for f in self.failures + self.results:
            said.append(self.ocrpipe("support", self.out, f.get("request_id") or "none"))
        said += [self.ocrpipe("status", self.out), self.ocrpipe("report", self.out)]
        for done in said:
            self.assertNotIn(KEY, done.stdout + done.stderr)
        left = [p for p in self.out.rglob("*") if p.is_file()]
        self.assertIn("ledger.db", {p.name for p in left})
        for path in left:
            self.assertNotIn(KEY.encode(), path.read_bytes(), path)
            self.assertEqual(path.stat().st_mode & 0o077, 0, path)


if __name__ == "__main__":
    workbench.main()
