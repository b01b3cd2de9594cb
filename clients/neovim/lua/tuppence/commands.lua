-- The command `:Tuppence`: an action of the server's by its name, or one of a few words of its own.

local accounts = require("tuppence.accounts")
local hearing = require("tuppence.hearing")
local panel = require("tuppence.panel")
local stream = require("tuppence.stream")
local told = require("tuppence.told")

local M = {}

local api = vim.api
local state, warn = hearing.state, hearing.warn
local CANCELLED = -32800

---Return the client that serves a buffer, or any at all without one.
function M.client(buf)
  for _, client in pairs((vim.lsp.get_clients or vim.lsp.get_active_clients)()) do
    if client.name == "tuppence" and (not buf or vim.lsp.buf_is_attached(buf, client.id)) then
      return client
    end
  end
end

local function ask(client, method, params, handler, buf)
  if vim.fn.has("nvim-0.11") == 1 then
    return client:request(method, params, handler, buf)
  end
  return client.request(method, params, handler, buf)
end

local function execute(client, buf, command, argument)
  ask(client, "workspace/executeCommand", { command = command, arguments = { argument } }, function(err)
    if err and err.code ~= CANCELLED then
      warn(err.message)
    end
  end, buf)
end

---Return the range that a command is about: whole lines, or the cursor.
local function range_of(buf, call, encoding)
  if call.range == 0 then
    local position = vim.lsp.util.make_position_params(0, encoding).position
    return { start = position, ["end"] = position }
  end
  local last = api.nvim_buf_get_lines(buf, call.line2 - 1, call.line2, false)[1] or ""
  local units = #last
  if encoding ~= "utf-8" then
    local in_32, in_16 = vim.str_utfindex(last)
    units = encoding == "utf-16" and in_16 or in_32
  end
  return {
    start = { line = call.line1 - 1, character = 0 },
    ["end"] = { line = call.line2 - 1, character = units },
  }
end

---Return what other tools say about the lines of a range, as they said it.
local function diagnostics_in(buf, range, encoding)
  local found = {}
  for _, each in ipairs(vim.diagnostic.get(buf)) do
    if each.source ~= "tuppence" and each.lnum <= range["end"].line and (each.end_lnum or each.lnum) >= range.start.line then
      table.insert(found, told.as_lsp(buf, each, encoding))
    end
  end
  return found
end

local function question(client, buf, action, call)
  local range = range_of(buf, call, client.offset_encoding)
  return {
    action = action,
    uri = vim.uri_from_bufnr(buf),
    version = vim.lsp.util.buf_versions[buf],
    range = range,
    diagnostics = diagnostics_in(buf, range, client.offset_encoding),
  }
end

local function perform(client, buf, action, call)
  execute(client, buf, "tuppence.run", question(client, buf, action, call))
end

---Show what an action would send in a buffer that can only be read; it has no file type, so no plugin takes it for code.
local function show_preview(told)
  local scratch = api.nvim_create_buf(false, true)
  api.nvim_buf_set_lines(scratch, 0, -1, false, vim.split((told.text:gsub("\n$", "")), "\n", { plain = true }))
  vim.bo[scratch].bufhidden = "wipe"
  vim.bo[scratch].modeline = false
  vim.bo[scratch].modifiable = false
  vim.cmd("sbuffer " .. scratch)
  vim.b[scratch].tuppence_title = told.title
end

---Run the first entry of a kind from the server's own menu on the last answer in a buffer.
local function pick(client, buf, is_wanted, otherwise)
  local run, row = stream.answer(buf)
  local at = { line = row, character = 0 }
  local params = {
    textDocument = { uri = vim.uri_from_bufnr(buf) },
    range = { start = at, ["end"] = at },
    context = { diagnostics = {}, triggerKind = 1 },
  }
  if not run then
    return warn(otherwise)
  end
  ask(client, "textDocument/codeAction", params, function(err, entries)
    for _, entry in ipairs(not err and entries or {}) do
      local command = type(entry.command) == "table" and entry.command or entry
      if command.arguments and is_wanted(command.command, command.arguments[1]) then
        return execute(client, buf, command.command, command.arguments[1])
      end
    end
    warn(otherwise)
  end, buf)
end

---What is not an action of the server's.
local commands = {}

function commands.stop(client, buf, call)
  execute(client, buf, "tuppence.stop", call.bang and vim.empty_dict() or { uri = vim.uri_from_bufnr(buf) })
end

function commands.putback(client, buf)
  pick(client, buf, function(command)
    return command == "tuppence.putBack"
  end, "there is no answer here to put back.")
end

function commands.again(client, buf)
  pick(client, buf, function(command, argument)
    return command == "tuppence.run" and argument.again ~= nil
  end, "there is no answer here, or no better model to ask.")
end

function commands.cost()
  if not state.cost then
    return warn("the server has not sent the accounts yet.")
  end
  accounts.show(state.cost)
end

function commands.report(client, buf)
  execute(client, buf, "tuppence.cost", { show = true })
end

function commands.clear(client, buf)
  execute(client, buf, "tuppence.clear", { uri = vim.uri_from_bufnr(buf) })
end

function commands.forget(client, buf)
  execute(client, buf, "tuppence.forget", vim.empty_dict())
end

function commands.explanation()
  if not panel.enter("explanation") then
    warn("nothing was explained yet.")
  end
end

function commands.log()
  panel.show("log", "The server's log", #state.log > 0 and table.concat(state.log, "\n") or "Nothing yet.")
  panel.enter("log")
end

---Return the ids of the actions that the server named when it started; none before it has.
local function actions()
  local client = M.client()
  local told = client and client.server_capabilities and client.server_capabilities.experimental
  return vim.tbl_map(function(action)
    return action.id
  end, told and told.tuppence and told.tuppence.actions or {})
end

function commands.preview(client, buf, call)
  local argument = question(client, buf, call.rest ~= "" and call.rest or actions()[1], call)
  local params = { command = "tuppence.preview", arguments = { argument } }
  ask(client, "workspace/executeCommand", params, function(err, told)
    if err then
      warn(err.message)
    elseif type(told) == "table" then
      show_preview(told)
    end
  end, buf)
end

---Return the words that begin so; behind `preview` an action's id follows.
function M.complete(start, line)
  local is_second = line ~= nil and line:match("^%S*%s+preview%s") ~= nil
  local words = is_second and actions() or vim.list_extend(actions(), vim.tbl_keys(commands))
  table.sort(words)
  return vim.tbl_filter(function(word)
    return vim.startswith(word, start)
  end, words)
end

---Carry out `:Tuppence`.
function M.run(call)
  local word, rest = call.args:match("^(%S+)%s*(.-)%s*$")
  word, call.rest = word or "cost", rest or ""
  local buf = api.nvim_get_current_buf()
  local client = M.client(buf)
  if not client and (word == "log" or word == "explanation" or word == "cost") then
    return commands[word]()
  end
  if not client then
    return warn(("no server is attached to this buffer (%s); see :checkhealth tuppence."):format(vim.bo.filetype))
  end
  if commands[word] then
    return commands[word](client, buf, call)
  end
  perform(client, buf, word, call)
end

return M
