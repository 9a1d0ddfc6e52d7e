#ifndef OCRPIPE_TOOLS_HELP_TEXTS_HPP
#define OCRPIPE_TOOLS_HELP_TEXTS_HPP

namespace ocrpipe::cli
{

/// Printed if there is no argument.
inline constexpr char short_help[] = R"(usage: ocrpipe COMMAND ...

  ocrpipe run INPUT... --out DIR      read many documents
  ocrpipe recognize FILE              read one document and print its text
  ocrpipe doctor                      check the configuration and say how to fix it
  ocrpipe --help                      list all commands, with examples
)";

/// The end of `ocrpipe --help`; the texts below end the help of one command each.
inline constexpr char examples[] = R"(First steps:
  export OCRPIPE_PORTAL_USER_ID=12345              your user id
  export OCRPIPE_API_KEY=...                       or --api-key-file FILE, --api-key-command COMMAND
  ocrpipe doctor                                   checks the setup
  ocrpipe recognize invoice.pdf --doc-type invoice
                                                   prints the text of one document
  ocrpipe run scans/ --out results --doc-type invoice
                                                   reads all files below scans/ and writes the results to results/
  ocrpipe export results --csv -o results.csv      writes the results as a table

Without an account, with an emulator of the service on this machine:
  ocrpipe emulator --port 8080 &
  export OCRPIPE_BASE_URL=http://127.0.0.1:8080 OCRPIPE_API_KEY=test-key OCRPIPE_PORTAL_USER_ID=1
  ocrpipe recognize invoice.pdf --doc-type invoice

Options can also be set in the environment, --base-url as OCRPIPE_BASE_URL and so on, except --out, --null, --text, --csv,
--class, --json, --watch, --wait, --explain and --sample.
Standard output carries data, standard error carries messages. `ocrpipe COMMAND --help` describes a command.

Exit codes: 0 all done, 1 some documents failed, 2 usage error, 3 some inputs unreadable, empty or too young, 4 credentials or
configuration refused, 5 stopped by a limit, 6 failure budget used up, 7 another process works on DIR, 8 disk or ledger error,
98 the load generator was the bottleneck, 99 a threshold was missed, 129, 130 and 143 interrupted. After 5, 6, 8, 129, 130 and 143, the same command continues the run.)";

inline constexpr char run_examples[] = R"(Examples:
  ocrpipe run scans/ --out results --doc-type invoice
      reads every file below scans/ whose name does not begin with a dot; a file that is not PDF, PNG, JPEG or TIFF is not
      sent, and is listed in failures.jsonl as unsupported_file_type
  ocrpipe run march.jsonl --out results
      reads a manifest with one {"path": "a.pdf", "doc_type": "invoice", "id": "A-1"} on each line; CSV with a header line
      works too; unknown columns are reported once; a column such as doctype stops the run before anything is sent
  ocrpipe run inbox/ --out results --doc-type invoice --min-age 10s
      skips files that were modified less than 10 seconds ago; the exit code is then 3, and the next run finds them;
      symbolic links to directories, or out of inbox/, are skipped and counted unless you give --follow-links
  find scans -name '*.pdf' -print0 | ocrpipe run - -0 --out results --doc-type invoice
      takes names from standard input
  ocrpipe run scans/ --out results --flow 42 --parts tables,stamps --max-inflight 5000 --submit-rate 20/s
      uses a workflow, fetches tables and stamps, and sends at most 20 submits a second

The run writes results-00001.jsonl (one line for each document), failures.jsonl, report.json, ledger.db and parts/ to DIR, and
prints the path of report.json. `ocrpipe export` makes a table or text files from the results.
Ctrl-C stops sending and finishes the documents under way; a second Ctrl-C exits at once. If a run stops, for whatever reason,
the same command with the same DIR continues it: no document is sent or paid for twice. SIGUSR1 prints the progress.)";

inline constexpr char retry_examples[] = R"(Examples:
  ocrpipe retry results                            failed documents, except those that might be billed twice
  ocrpipe retry results --class job_failed,rejected
  ocrpipe retry results --class ambiguous_submit   these might be billed twice, like job_lost and job_expired
Jobs that were not finished are polled and never sent again. failures.jsonl and report.json name the classes.
Documents are read with the options of the run. To change --doc-type, --flow, --file-type, --parts or --text, give the run
command again with --accept-changes.)";

inline constexpr char status_examples[] = R"(Examples:
  ocrpipe status results                           works during a run, too
  ocrpipe status results --watch                   until the run ends; a terminal is updated in place
  sqlite3 -readonly results/ledger.db "SELECT * FROM document_for_people WHERE state = 'ambiguous'")";

inline constexpr char export_examples[] = R"(Examples:
  ocrpipe export results --text                    writes one file for each document to results/text/
  ocrpipe export results --parts tables,images     fetches parts into results/parts/; no document is sent or paid for
  ocrpipe export results --csv -o march.csv        writes a row for each document and a column for each named field
--text and --parts list the files of each document in DIR/exported-text.jsonl or DIR/exported-parts.jsonl, and print its path.
--text and --csv use no network. --parts needs the key; parts that are there already are not fetched again. You can export
during a run. If a document was read again, its last result is exported. If a spreadsheet would read a cell as a formula, an
apostrophe is put in front of it.)";

inline constexpr char support_examples[] = R"(Examples:
  ocrpipe support results 0d9ff7e1                 writes results/support/..., for the service's support
  ocrpipe support results 0d9ff7e1 --sample        adds a copy of the document)";

inline constexpr char recognize_examples[] = R"(Examples:
  ocrpipe recognize invoice.pdf --doc-type invoice
  ocrpipe recognize page.png --doc-type receipt --json | jq .data.documents
  curl -s https://files.example/scan.pdf | ocrpipe recognize - --doc-type invoice
      reads a document of at most 256 MiB from standard input)";

inline constexpr char result_examples[] = R"(Examples:
  id=$(ocrpipe submit invoice.pdf --doc-type invoice)
  id=$(ocrpipe submit - --doc-type invoice < invoice.pdf)
  ocrpipe result "$id" --wait
  ocrpipe result "$id" --text)";

inline constexpr char explain_examples[] = R"(Examples:
  ocrpipe explain answer.json
  ocrpipe result "$id" --explain                   the same for the current answer of the service
  ocrpipe explain answer.json --profile mine.json  tests a profile
Put the profile lines that it prints into a file, between { and }, and give the file to --profile.)";

inline constexpr char profile_examples[] = R"(Examples:
  ocrpipe profile > mine.json                      edit the file, then give --profile mine.json
Members that a profile leaves out keep their default.)";

inline constexpr char image_examples[] = R"(Examples:
  ocrpipe image "$id" "$file_id" -o page-1.png
  ocrpipe image "$id" "$file_id" -o - | display)";

inline constexpr char load_examples[] = R"(Examples:
  ocrpipe load --rate 50/s --duration 2m --out load --doc-type invoice
      sends 6,000 generated documents; give files or directories to send those, in turn
  ocrpipe load scans/ --stages '0->50/s:2m,50/s:10m' --poisson --out stages --doc-type invoice
  ocrpipe load --concurrency 20 --max-documents 1000 --parts tables --out closed --doc-type invoice
  ocrpipe load --find-capacity --rate 5/s --max-documents 20000 --out capacity --doc-type invoice
      doubles the rate until the backlog grows or a threshold does not hold, then narrows the interval down; waits
      after each step until all documents are done
  ocrpipe load --rate 20/s --duration 1m --threshold 'e2e.p95<30s,error_rate<1%,backlog_slope<=0' --out ci --doc-type invoice
  ocrpipe load compare before/ after/              what changed, and whether the change is more than noise
  ocrpipe load merge all/ generator-1/ generator-2/
Every document costs money at the real service. The command says where it will send documents, and how many at most.
Arrivals follow the clock and never wait for answers: a document that is sent late is measured from the time it was due.
With --parts, a document is in flight until its parts have ended; its end-to-end time ends with the result.
Unfinished documents count with the time for which they were observed. Ctrl-C stops the arrivals and waits for the documents
under way; a second Ctrl-C ends at once. --seed N repeats Poisson arrivals and generated documents.
Exit codes: 98 the generator was the bottleneck, 99 a threshold was missed, 1 some documents failed or are unfinished.)";

inline constexpr char load_compare_examples[] = R"(Examples:
  ocrpipe load compare before/ after/
  ocrpipe load merge all/ generator-1/ generator-2/)";

inline constexpr char doctor_examples[] = R"(Examples:
  ocrpipe doctor
  ocrpipe doctor --out results      also checks the disk that the results will be written to)";

} // namespace ocrpipe::cli

#endif
