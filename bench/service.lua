-- The OCR service's protocol inside nginx, as cheap as it can be, so that the client is what is measured.
--
-- A request_id holds the time of its submit, so nothing is remembered a job. Counters are in a shared dict for /bench/stats.
-- With verify on, every form is taken apart and its file's checksum is added up; that costs the server more than the rest and is meant for a
-- short round beside the measured ones.

local counters = ngx.shared.ocrpipe_bench
local M = {}

local processing = 0
local verify = false
local submits = 0

local function values()
    local out = {}
    for i = 1, 9 do
        out[i] = string.format('{"name":"line_item_%d","value":[{"name":"line_item_%d","extracted_value":"%d x bench part no. %d, grey",'
            .. '"extracted_prob":0.98%d,"coordinates":[%d,%d,%d,%d]}]}', i, i, i, 1000 + i, i, 120, 300 + 40 * i, 980, 330 + 40 * i)
    end
    return table.concat(out, ",")
end

local pending = '{"data":{"progress":{"total_doc":1,"ignored":0,"finished":0},"documents":[]}}'
local before_id = '{"data":{"request_id":"'
local after_id = '","status":"SUCCESS","progress":{"total_doc":1,"ignored":0,"finished":1},"documents":[{"document_id":"d-1",'
    .. '"document_type":"INVOICE","status":"SUCCESS","is_correct_classification":true,"ocr_data":['
    .. '{"name":"seller_name","value":["C\195\180ng ty TNHH V\196\169nh H\198\176ng"]},{"name":"invoice_no","value":["AB/23E-0001742"]},'
    .. '{"name":"date","value":["2024-05-17"]},{"name":"total","value":[{"name":"total","extracted_value":"1,284,500",'
    .. '"extracted_prob":0.9931,"coordinates":[812,1430,1011,1466]}]},' .. values()
    .. '],"schema":{"table":[{"columns":["item","quantity","price"],"rows":[["grey part","2","12.50"],["bolt","40","0.12"]]}]}}]}}'

local function answer(status, first, id, last)
    ngx.status = status
    ngx.header["Content-Length"] = #first + #id + #last
    ngx.print(first, id, last)
end

local function refuse(why)
    counters:incr("bad", 1, 0)
    counters:set("fault", why)
    answer(400, '{"message":"', why, '"}')
end

-- The form's parts by name, or nothing and what is wrong with it.
local function form_of(body)
    local boundary = (ngx.var.content_type or ""):match('^multipart/form%-data; boundary="?([^"]+)"?$')
    if not boundary then return nil, "no multipart content type" end
    local delimiter = "--" .. boundary
    if body:sub(1, #delimiter + 2) ~= delimiter .. "\r\n" then return nil, "no first delimiter" end
    local parts, at = {}, #delimiter + 3
    while true do
        local _, head_end = body:find("\r\n\r\n", at, true)
        if not head_end then return nil, "a part without an empty line" end
        local name = body:sub(at, head_end):match('[Nn]ame="([^"]*)"')
        local next_delimiter, delimiter_end = body:find("\r\n" .. delimiter, head_end + 1, true)
        if not name or not next_delimiter then return nil, "a part without a name or an end" end
        parts[name] = body:sub(head_end + 1, next_delimiter - 1)
        at = delimiter_end + 3
        if body:sub(delimiter_end + 1, delimiter_end + 2) == "--" then break end
    end
    return parts
end

local function fault_of_credentials()
    if ngx.var.http_authorization ~= "Bearer bench-key" then return "wrong authorization" end
    if ngx.var.http_portal_user_id ~= "bench" then return "wrong portal-user-id" end
end

local function fault_of_submit()
    local fault = fault_of_credentials()
    if fault then return fault end
    local body = ngx.req.get_body_data()
    if not body or #body ~= tonumber(ngx.var.content_length) then return "the body is not whole" end
    local form, why = form_of(body)
    if not form then return why end
    if form.flow ~= "single" or form.doc_type ~= "INVOICE" or form.file_type ~= "PDF" then return "wrong fields" end
    if not form.file then return "no file" end
    counters:incr("file_bytes", #form.file, 0)
    counters:incr("file_checksums", ngx.crc32_long(form.file), 0)
end

local function submit()
    ngx.req.read_body()
    local length = tonumber(ngx.var.content_length)
    if not length then return refuse("no content length") end
    if verify then
        local fault = fault_of_submit()
        if fault then return refuse(fault) end
    end
    submits = submits + 1
    counters:incr("submits", 1, 0)
    counters:incr("body_bytes", length, 0)
    answer(201, before_id, string.format("req-%013d-%08d", ngx.now() * 1000, submits), '"}}')
end

local function result(id)
    local submitted = tonumber(id:match("^req%-(%d+)%-%d+$"))
    if not submitted then return refuse("unknown request id") end
    local fault = verify and fault_of_credentials()
    if fault then return refuse(fault) end
    if processing > 0 then ngx.update_time() end
    if ngx.now() * 1000 < submitted + processing then
        counters:incr("pending", 1, 0)
        return answer(200, pending, "", "")
    end
    counters:incr("results", 1, 0)
    answer(200, before_id, id, after_id)
end

local route = "/maas/user-bench/greennode/idp/v1/ocr/ingest"

function M.serve()
    local uri = ngx.var.uri
    if uri == route and ngx.req.get_method() == "POST" then return submit() end
    if uri:sub(1, #route + 1) == route .. "/" then return result(uri:sub(#route + 2)) end
    refuse("no such route")
end

local names = { "submits", "results", "pending", "bad", "body_bytes", "file_bytes", "file_checksums" }

function M.stats()
    local out = {}
    for i, name in ipairs(names) do out[i] = string.format('"%s":%.0f', name, counters:get(name) or 0) end
    ngx.print("{", table.concat(out, ","), ',"fault":"', counters:get("fault") or "", '"}')
end

function M.reset()
    counters:flush_all()
    processing = tonumber(ngx.var.arg_processing) or 0
    verify = ngx.var.arg_verify == "1"
    ngx.print("{}")
end

-- What a result must look like, for programs that check the results files.
function M.sample() answer(200, before_id, "REQUEST_ID", after_id) end

return M
