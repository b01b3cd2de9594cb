-- Streamed edits: small batches from the server, each applied whole or not at all, all of one run as one undo step.
--
-- Invariants:
--  * A batch is applied only to the version of the document that it was made for. Whoever types in between wins: the
--    batch is refused, and the server brings the rest as one ordinary edit.
--  * Every batch of a run after its first joins the undo step of the first, and nothing else ever does.
--  * What lies between the edits of a batch is not touched, nor are the marks in it. The last edit comes first, so that
--    none moves another; the server may hear of them one by one.
--  * An ordinary edit is an undo step of its own.
-- What an edit says is the server's business; nothing here looks at the text.

local M = {}

local api = vim.api
local marks = api.nvim_create_namespace("tuppence.region")
local answers = api.nvim_create_namespace("tuppence.answer")
local line_ends = { unix = "\n", dos = "\r\n", mac = "\r" }

---The runs that write: run id -> { buf, changedtick after its last batch, extmark }.
local writing = {}

---The last answer that was kept in each buffer: buffer -> { run, extmark at its start }.
local kept = {}

---Split a text of the server's into a buffer's lines.
local function split(buf, text)
  return vim.split(text, line_ends[vim.bo[buf].fileformat], { plain = true })
end

---Return the loaded buffer of a document; nil without one. (vim.uri_to_bufnr would bring back a wiped one.)
local function buffer_of(uri)
  for _, buf in ipairs(api.nvim_list_bufs()) do
    if api.nvim_buf_is_loaded(buf) and vim.uri_from_bufnr(buf) == uri then
      return buf
    end
  end
end

local function line_at(buf, row)
  return api.nvim_buf_get_lines(buf, row, row + 1, false)[1] or ""
end

---Turn a column in the client's units into one in bytes.
local function byte(buf, position, encoding)
  local line = line_at(buf, position.line)
  if encoding == "utf-8" then
    return math.min(position.character, #line)
  end
  local ok, column
  if vim.fn.has("nvim-0.11") == 1 then
    ok, column = pcall(vim.str_byteindex, line, encoding, position.character, false)
  else
    ok, column = pcall(vim.str_byteindex, line, position.character, encoding == "utf-16")
  end
  return ok and column or #line
end

---Turn one edit into { from row, from column, to row, to column, lines, whether it is of whole lines }; nil where a
---buffer can't hold its result. A document's last newline is no line of the buffer, so an edit that reaches past it is
---drawn in.
local function placed(buf, edit, encoding)
  local first, last = edit.range.start, edit.range["end"]
  local lines, count = split(buf, edit.newText), api.nvim_buf_line_count(buf)
  local is_past = last.line >= count
  local ends_line = lines[#lines] == ""
  if is_past and not ends_line then
    return nil -- the document would lose its last newline, which only a write does
  end
  if is_past and #lines == 1 and first.line == 0 then
    return nil -- a buffer has a line
  end
  if ends_line and first.character == 0 and (is_past or last.character == 0) then
    table.remove(lines)
    return { math.min(first.line, count), 0, math.min(last.line, count), 0, lines, true }
  end
  if not is_past then
    return { first.line, byte(buf, first, encoding), last.line, byte(buf, last, encoding), lines }
  end
  table.remove(lines)
  if #lines == 0 then
    return nil
  end
  return { first.line, byte(buf, first, encoding), count - 1, #line_at(buf, count - 1), lines }
end

---Change whole lines. What changes a text without lines takes those that it ends in for changed too, and drops their
---marks. A cursor in lines that go stays in its row among those that come.
local function set_lines(buf, first, last, lines)
  local cursors = {}
  for _, window in ipairs(vim.fn.win_findbuf(buf)) do
    local cursor = api.nvim_win_get_cursor(window)
    if cursor[1] > first and cursor[1] <= last then
      cursors[window] = cursor
    end
  end
  api.nvim_buf_set_lines(buf, first, last, false, lines)
  for window, cursor in pairs(cursors) do
    local row = math.max(1, math.min(cursor[1], first + math.max(1, #lines), api.nvim_buf_line_count(buf)))
    local at = { row, math.min(cursor[2], #line_at(buf, row - 1)) }
    if not vim.deep_equal(at, api.nvim_win_get_cursor(window)) then
      api.nvim_win_set_cursor(window, at)
    end
  end
end

local function put(buf, one)
  if one[6] then
    set_lines(buf, one[1], one[3], one[5])
  else
    api.nvim_buf_set_text(buf, one[1], one[2], one[3], one[4], one[5])
  end
end

---Report whether an edit lies above another one.
local function is_above(a, b)
  for at = 1, 4 do
    if a[at] ~= b[at] then
      return a[at] < b[at]
    end
  end
  return false
end

---Apply edits to the undo step that is open, or to a new one; return whether all of them could be.
local function change(buf, edits, encoding)
  local all = {}
  for _, edit in ipairs(edits) do
    local one = placed(buf, edit, encoding)
    if not one then
      return false
    end
    table.insert(all, one)
  end
  table.sort(all, is_above)
  for at = #all, 1, -1 do
    local one = all[at]
    if at < #all then
      vim.cmd("silent! undojoin")
    end
    if not pcall(put, buf, one) then
      return false
    end
  end
  return true
end

---End the undo step that is open in a buffer.
local function close_step(buf)
  api.nvim_buf_call(buf, function()
    vim.cmd("noautocmd let &g:undolevels = &g:undolevels")
  end)
end

---Carry out what changes documents, as an undo step of its own in each of them. Without this, an edit that arrives
---while the person inserts text would be undone together with that text.
function M.apart(edit, apply)
  local bufs = {}
  for _, change in ipairs(edit.documentChanges or {}) do
    -- A file may be created or renamed too, and one that is not open has no buffer.
    bufs[#bufs + 1] = change.textDocument and buffer_of(change.textDocument.uri) or nil
  end
  for uri in pairs(edit.changes or {}) do
    bufs[#bufs + 1] = buffer_of(uri)
  end
  vim.tbl_map(close_step, bufs)
  local result = apply()
  vim.tbl_map(close_step, bufs)
  return result
end

---Apply what `tuppence/edit` asks for; return whether it was applied.
function M.apply(params, encoding)
  local buf = buffer_of(params.uri)
  if not buf or not vim.bo[buf].modifiable or #params.edits == 0 then
    return false
  end
  if vim.lsp.util.buf_versions[buf] ~= params.version then
    return false
  end
  local run = writing[params.run]
  if not params.first and not (run and run.tick == api.nvim_buf_get_changedtick(buf)) then
    return false
  end
  local applied = false
  if params.first then
    close_step(buf)
  end
  api.nvim_buf_call(buf, function()
    if not params.first then
      vim.cmd("silent! undojoin")
    end
    applied = change(buf, params.edits, encoding)
  end)
  if applied then
    run = run or { buf = buf }
    run.tick = api.nvim_buf_get_changedtick(buf)
    writing[params.run] = run
  end
  return applied
end

---Highlight where a run is at work, by an extmark of its own.
local function highlight(run, buf, range, encoding)
  local first, last = range.start, range["end"]
  local bottom = api.nvim_buf_line_count(buf) - 1
  local end_row = math.min(last.line, bottom)
  local end_col = last.line > bottom and #line_at(buf, bottom) or byte(buf, last, encoding)
  if end_row < bottom and end_col == #line_at(buf, end_row) then
    end_row, end_col = end_row + 1, 0 -- to the window's edge, as for the lines above
  end
  local ok, mark = pcall(api.nvim_buf_set_extmark, buf, marks, first.line, byte(buf, first, encoding), {
    id = run.mark,
    end_row = end_row,
    end_col = end_col,
    hl_group = "TuppenceRegion",
    hl_eol = true,
    right_gravity = false,
    end_right_gravity = true,
    priority = 90,
  })
  run.mark = ok and mark or run.mark
end

---Take the highlight away, close the undo step, and remember where an answer stands that was kept.
local function finish(run, buf, params)
  if run.mark then
    api.nvim_buf_del_extmark(buf, marks, run.mark)
  end
  if run.tick then
    close_step(buf)
  end
  if params.outcome == "kept" and params.range then
    api.nvim_buf_clear_namespace(buf, answers, 0, -1)
    local row = math.min(params.range.start.line, api.nvim_buf_line_count(buf) - 1)
    kept[buf] = { run = params.run, mark = api.nvim_buf_set_extmark(buf, answers, row, 0, {}) }
  end
end

---Follow what `tuppence/run` says of a run.
function M.follow(params, encoding)
  local buf = buffer_of(params.uri)
  local run = writing[params.run] or { buf = buf }
  local is_over = params.state == "ended"
  writing[params.run] = buf and not is_over and run or nil
  if not buf then
    return
  elseif is_over then
    finish(run, buf, params)
  elseif params.range then
    highlight(run, buf, params.range, encoding)
  end
end

---Return the run of the last answer that was kept in a buffer and the row where it stands now; nil without one.
function M.answer(buf)
  local answer = kept[buf]
  local at = answer and api.nvim_buf_get_extmark_by_id(buf, answers, answer.mark, {})
  if at and at[1] then
    return answer.run, at[1]
  end
end

---Forget everything, when the server is gone.
function M.reset()
  for _, run in pairs(writing) do
    if api.nvim_buf_is_valid(run.buf) then
      api.nvim_buf_clear_namespace(run.buf, marks, 0, -1)
    end
  end
  writing, kept = {}, {}
end

return M
