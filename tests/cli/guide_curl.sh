#!/bin/sh
# The usage guide's own curl commands against a running emulator, and what they must answer.
# usage: guide_curl.sh PATH_OF_OCRPIPE
set -u

ocrpipe=${1:?usage: guide_curl.sh PATH_OF_OCRPIPE}
command -v curl >/dev/null || { echo "curl is not installed" >&2; exit 1; }
# A proxy of this machine must not come between curl and the loopback address.
NO_PROXY='*' no_proxy='*'
export NO_PROXY no_proxy

dir=$(mktemp -d)
emulator=
trap '[ -z "$emulator" ] || kill "$emulator" 2>/dev/null; rm -rf "$dir"' EXIT

failures=0
check() { # WHAT CONDITION...
    what=$1
    shift
    if "$@"; then return; fi
    failures=$((failures + 1))
    echo "FAILED: $what" >&2
    echo "  status $status, body: $(head -c 300 "$dir/body" | tr -d '\000')" >&2
}
body_has() { grep -qF -- "$1" "$dir/body"; }
status_is() { [ "$status" = "$1" ]; }
value_of() { sed -n "s/.*\"$1\":\\[\\{0,1\\}\"\\([^\"]*\\)\".*/\\1/p" "$dir/body"; }
call() { status=$(curl --silent --show-error --output "$dir/body" --write-out '%{http_code}' "$@"); }

mkfifo "$dir/line"
"$ocrpipe" emulator --engine synthetic --latency fixed:0s --port 0 --api-key guide-key --portal-user-id 4711 \
    --fault total-doc-zero:count=1 --truth "$dir/truth.jsonl" >"$dir/line" &
emulator=$!
read -r said <"$dir/line"
base=${said#listening on }
case $base in
    http://127.0.0.1:*) ;;
    *) echo "FAILED: the emulator said '$said'" >&2; exit 1 ;;
esac
ocr=$base/maas/user-4711/greennode/idp/v1/ocr

printf '%%PDF-1.4\nnot much of a PDF\n' >"$dir/hóa đơn.pdf"

call --location "$ocr/ingest" \
    --header 'Authorization: Bearer guide-key' \
    --header 'portal-user-id: 4711' \
    --form 'flow="single"' \
    --form 'doc_type="INVOICE"' \
    --form 'file_type="PDF"' \
    --form "file=@\"$dir/hóa đơn.pdf\""
check "submit is accepted" status_is 201
request_id=$(value_of request_id)
file_id=$(value_of file_ids)
check "submit answers a request_id" [ -n "$request_id" ]
check "submit answers file_ids" [ -n "$file_id" ]

get() {
    call --location "$ocr/$1" --header 'Authorization: Bearer guide-key' --header 'portal-user-id: 4711'
}
get "ingest/$request_id"
check "the first poll has no data yet" body_has '"documents":[]'
get "ingest/$request_id"
check "the result is there" body_has '"status":"SUCCESS"'
check "the result has text" body_has '"extracted_value":"document '
document_id=$(value_of document_id)
check "the result has a document_id" [ -n "$document_id" ]

for part in table signature stamp; do
    get "ingest/$part/$request_id/$document_id"
    check "$part is answered" status_is 200
    check "$part is about the document" body_has "$document_id"
done
get "ingest/file/$request_id/$file_id"
check "the image is answered" status_is 200
check "the image is a PNG" body_has PNG

call --location "$ocr/ingest/$request_id" --header 'portal-user-id: 4711'
check "without the key: 403" status_is 403
check "without the key: nine bytes" [ "$(cat "$dir/body")" = Forbidden ]

submit() {
    call --location "$ocr/ingest" --header 'Authorization: Bearer guide-key' --header 'portal-user-id: 4711' "$@"
}
submit --form 'flow="single"' --form 'doc_type="INVOICE"' --form "file=@\"$dir/hóa đơn.pdf\""
check "without file_type: 400" status_is 400
check "without file_type: it is named" body_has file_type
submit --form 'flow="single"' --form 'doc_type="UNKNOWN"' --form 'file_type="PDF"' --form "file=@\"$dir/hóa đơn.pdf\""
check "unknown doc_type: 500" status_is 500

# Large enough for curl to wait for 100 Continue before it sends the body.
head -c 3000000 /dev/zero >"$dir/large.pdf"
submit --form 'flow="single"' --form 'doc_type="INVOICE"' --form 'file_type="PDF"' --form "file=@\"$dir/large.pdf\""
check "a large file is accepted" status_is 201

kill "$emulator"
wait "$emulator"
status=$?
emulator=
cp "$dir/truth.jsonl" "$dir/body"
check "the emulator ends well" [ "$status" = 0 ]
check "the truth log knows the file's name" body_has '"file_name":"hóa đơn.pdf"'
check "the truth log knows what was accepted" [ "$(grep -c '"event":"accepted"' "$dir/truth.jsonl")" = 2 ]

usage_error() {
    "$ocrpipe" emulator --engine synthetic "$@" >"$dir/body" 2>&1
    status=$?
    check "refused: $*" status_is 2
}
usage_error --address 0.0.0.0
check "the address is named" body_has 0.0.0.0
usage_error --fault no-such-fault
usage_error --latency sometimes
usage_error --shape round
usage_error --port 70000
usage_error --no-such-option
"$ocrpipe" emulator --list-faults >"$dir/body"
check "every fault has a line" body_has 'reset-after-acceptance '

[ "$failures" = 0 ] || exit 1
echo "the guide's commands work"
