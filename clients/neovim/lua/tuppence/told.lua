-- What the other servers and linters say of a buffer, for `tuppence/diagnostics` (docs/protocol.md).
--
-- Nobody is waited for here, which would hold up the person's typing: the server asks again.

local M = {}

local api = vim.api
local OURS = "tuppence"

---Who spoke last in a buffer: buffer -> { version, what was ours by then, what was others' }.
local spoken = {}

---Return a buffer's diagnostics: the others', and as texts that can be compared, theirs and ours.
local function gathered(buf)
  local others, theirs, ours = {}, {}, {}
  for _, each in ipairs(vim.diagnostic.get(buf)) do
    local is_ours = each.source == OURS
    local text = table.concat({ each.lnum, each.col, each.severity or 0, each.source or "", each.message }, "\31")
    table.insert(is_ours and ours or theirs, text)
    if not is_ours then
      table.insert(others, each)
    end
  end
  table.sort(theirs)
  table.sort(ours)
  return others, table.concat(theirs, "\30"), table.concat(ours, "\30")
end

---Take note of a change of a buffer's diagnostics; one of ours alone is nobody's word.
local function hear(buf)
  local _, theirs, ours = gathered(buf)
  local last = spoken[buf] or { theirs = "", ours = "" }
  local is_ours = ours ~= last.ours and theirs == last.theirs
  local version = is_ours and last.version or vim.lsp.util.buf_versions[buf]
  spoken[buf] = { version = version, theirs = theirs, ours = ours }
end

---Note from now on when another tool speaks of a buffer.
function M.listen()
  local group = api.nvim_create_augroup("tuppence.told", {})
  api.nvim_create_autocmd("DiagnosticChanged", {
    group = group,
    callback = function(event)
      hear(event.buf)
    end,
  })
  api.nvim_create_autocmd("BufWipeout", {
    group = group,
    callback = function(event)
      spoken[event.buf] = nil
    end,
  })
end

---Turn a column in bytes into the client's units.
local function units(buf, row, column, encoding)
  local line = api.nvim_buf_get_lines(buf, row, row + 1, false)[1] or ""
  column = math.min(column, #line)
  if encoding == "utf-8" then
    return column
  end
  if vim.fn.has("nvim-0.11") == 1 then
    return vim.str_utfindex(line, encoding, column, false)
  end
  local in_utf32, in_utf16 = vim.str_utfindex(line, column)
  return encoding == "utf-16" and in_utf16 or in_utf32
end

---Return a diagnostic as the protocol has it, in the client's units.
function M.as_lsp(buf, each, encoding)
  local from_server = (each.user_data or {}).lsp
  local end_row, end_column = each.end_lnum or each.lnum, each.end_col or each.col
  return {
    range = {
      start = { line = each.lnum, character = units(buf, each.lnum, each.col, encoding) },
      ["end"] = { line = end_row, character = units(buf, end_row, end_column, encoding) },
    },
    severity = each.severity,
    source = each.source,
    code = each.code or from_server and from_server.code,
    message = each.message,
  }
end

local function is_before(a, b)
  return a.line < b.line or (a.line == b.line and a.character < b.character)
end

---Report whether two ranges have a place in common, if only an end.
local function touch(a, b)
  return not is_before(a["end"], b.start) and not is_before(b["end"], a.start)
end

---Answer the server.
function M.answer(params, encoding)
  for _, buf in ipairs(api.nvim_list_bufs()) do
    if api.nvim_buf_is_loaded(buf) and vim.uri_from_bufnr(buf) == params.uri then
      local found = {}
      for _, each in ipairs((gathered(buf))) do
        local said = M.as_lsp(buf, each, encoding)
        if type(params.range) ~= "table" or touch(said.range, params.range) then
          table.insert(found, said)
        end
      end
      local judged = spoken[buf] and spoken[buf].version or vim.NIL
      return { version = vim.lsp.util.buf_versions[buf] or vim.NIL, judged = judged, diagnostics = found }
    end
  end
  return { version = vim.NIL, judged = vim.NIL, diagnostics = {} }
end

return M
