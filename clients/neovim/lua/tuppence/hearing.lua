-- What the server says, and where it is shown: edits, explanations, runs, accounts, the log, the status line.

local accounts = require("tuppence.accounts")
local panel = require("tuppence.panel")
local stream = require("tuppence.stream")
local told = require("tuppence.told")

local M = {}

local api = vim.api
local LINGER = 10000 -- milliseconds for which the status shows how a run ended
local LOG_LINES = 500

---What is known now.
M.state = {
  cost = nil, -- what `tuppence/cost` said last
  runs = {}, -- those under way: run id -> what `tuppence/run` said of it last
  last = nil, -- the run that ended last, for as long as the status shows it
  explaining = {}, -- explanations that are being written: run id -> true
  read = nil, -- the run whose explanation is in the panel
  log = {}, -- lines, oldest first
  status_is_shown = false,
}
local state = M.state

---Say a sentence.
function M.tell(text, level)
  vim.notify((text:gsub("%c+", " ")), level or vim.log.levels.INFO, { title = "tuppence" })
end

---Say what does not work.
function M.warn(text)
  M.tell("tuppence: " .. text, vim.log.levels.WARN)
end

local function note(text)
  for _, line in ipairs(vim.split(text, "\n", { plain = true })) do
    table.insert(state.log, os.date("%H:%M:%S ") .. line)
  end
  while #state.log > LOG_LINES do
    table.remove(state.log, 1)
  end
end

local function redraw()
  if state.status_is_shown then
    vim.cmd("redrawstatus!")
  end
end

local function encoding_of(ctx)
  local client = vim.lsp.get_client_by_id(ctx.client_id)
  return client and client.offset_encoding or "utf-16"
end

---What is called for each message: method -> function.
M.handlers = {}
local handlers = M.handlers

handlers["tuppence/edit"] = function(_, params, ctx)
  return { applied = stream.apply(params, encoding_of(ctx)) }
end

handlers["tuppence/diagnostics"] = function(_, params, ctx)
  return told.answer(params, encoding_of(ctx))
end

handlers["workspace/applyEdit"] = function(err, params, ctx, config)
  return stream.apart(params.edit, function()
    return vim.lsp.handlers["workspace/applyEdit"](err, params, ctx, config)
  end)
end

handlers["tuppence/explanation"] = function(_, params)
  if not state.explaining[params.run] then
    state.read = params.run -- the newest has the panel
  end
  if state.read == params.run and (params.restart or not state.explaining[params.run]) then
    panel.show("explanation", params.title, "")
  end
  if state.read == params.run then
    panel.append("explanation", params.markdown)
  end
  state.explaining[params.run] = not params.done or nil
end

handlers["tuppence/cost"] = function(_, params)
  state.cost = params
  accounts.refresh(params)
  redraw()
end

---Show how a run ended where nothing else does; what went wrong is said by the server itself.
local function closing(params)
  if state.read == params.run and params.line ~= "" then
    panel.append("explanation", "\n\n---\n\n" .. params.line)
  elseif params.outcome == "stopped" or (params.outcome == "kept" and not state.status_is_shown) then
    M.tell(params.line)
  end
  state.last = params
  vim.defer_fn(function()
    state.last = state.last ~= params and state.last or nil
    redraw()
  end, LINGER)
end

handlers["tuppence/run"] = function(_, params, ctx)
  stream.follow(params, encoding_of(ctx))
  local is_over = params.state == "ended"
  state.runs[params.run] = not is_over and params or nil
  if is_over then
    closing(params)
  end
  redraw()
end

handlers["window/logMessage"] = function(_, params)
  note(params.message)
end

if not vim.lsp.handlers["window/showDocument"] then
  -- Neovim 0.7 has none.
  handlers["window/showDocument"] = function(_, params)
    if params.external then
      return { success = false } -- the server says where the page is
    end
    local buf, window = vim.uri_to_bufnr(params.uri), api.nvim_get_current_win()
    vim.fn.bufload(buf)
    vim.bo[buf].buflisted = true
    vim.cmd("sbuffer " .. buf)
    if not params.takeFocus then
      api.nvim_set_current_win(window)
    end
    return { success = true }
  end
end

---Forget what the server said, when it is gone.
function M.forget()
  vim.schedule(function()
    stream.reset()
    state.runs, state.explaining, state.cost, state.last = {}, {}, nil, nil
    redraw()
  end)
end

---Return a text that 'statusline' shows as it is, cut to what leaves room for the rest.
local function plain(text)
  local room = math.max(20, math.floor(vim.o.columns * 0.6))
  if vim.fn.strchars(text) > room then
    text = vim.fn.strcharpart(text, 0, room - 1) .. "…"
  end
  return (text:gsub("%c", " "):gsub("%%", "%%%%"))
end

---Return a line for 'statusline': the run under way, how the last one ended, or what today cost. To be used as
---`%{%v:lua.require'tuppence'.status()%}`.
function M.status()
  state.status_is_shown = true
  local _, run = next(state.runs)
  if run then
    return plain(("⋯ %s: %s"):format(run.title, run.line or ""))
  elseif state.last and state.last.line ~= "" then
    return plain(state.last.line)
  elseif state.cost then
    return plain(("tuppence %s today, %s saved"):format(state.cost.today.display, state.cost.saved.display))
  end
  return ""
end

return M
