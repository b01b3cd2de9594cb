-- tuppence in Neovim, 0.7 to 0.12: starts the server, hands its words on, and offers `:Tuppence`.
--
--   require("tuppence").setup()
--
-- What needs knowledge of languages, actions, models or money is the server's business. Edits are applied by
-- stream.lua, windows are panel.lua's. Settings come from the first call of setup() alone: no variable is read that a
-- project could set, and a call from a project's own configuration file is refused.

local panel = require("tuppence.panel")
local stream = require("tuppence.stream")

local M = {}

local api = vim.api
local NAME = "tuppence"
local DEBOUNCE = 50 -- milliseconds after which the server hears of a change; it sends the next edit only then
local LINGER = 10000 -- milliseconds for which the status shows how a run ended
local LOG_LINES = 500
local CANCELLED = -32800
local PROJECT_FILES = { [".nvim.lua"] = true, [".nvimrc"] = true, [".exrc"] = true }

---All settings, as they are unless setup() is told otherwise.
local settings = {
  -- The program and its arguments.
  cmd = { "tuppence", "serve" },
  filetypes = {
    "c", "cpp", "go", "java", "javascript", "javascriptreact", "lua", "php", "python", "ruby", "rust", "sh",
    "typescript", "typescriptreact",
  },
  -- A function that returns keys by their variables' names, such as { ANTHROPIC_API_KEY = "..." }: for a key that
  -- comes from a password store. It is called when the server starts.
  keys = function() end,
}

local KINDS = { cmd = "table", filetypes = "table", keys = "function" }

---What is known now.
local state = {
  ready = false,
  cost = nil, -- what `tuppence/cost` said last
  runs = {}, -- those under way: run id -> what `tuppence/run` said of it last
  last = nil, -- the run that ended last, for as long as the status shows it
  explaining = {}, -- explanations that are being written: run id -> true
  read = nil, -- the run whose explanation is in the panel
  log = {}, -- lines, oldest first
  status_is_shown = false,
}

local function has(version)
  return vim.fn.has("nvim-" .. version) == 1
end

local function tell(text, level)
  vim.notify((text:gsub("%c+", " ")), level or vim.log.levels.INFO, { title = NAME })
end

local function warn(text)
  tell("tuppence: " .. text, vim.log.levels.WARN)
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

-- The connection ------------------------------------------------------------------------------------------------------

---Return the client that serves a buffer, or any at all without one.
function M.client(buf)
  for _, client in pairs((vim.lsp.get_clients or vim.lsp.get_active_clients)()) do
    if client.name == NAME and (not buf or vim.lsp.buf_is_attached(buf, client.id)) then
      return client
    end
  end
end

local function ask(client, method, params, handler, buf)
  if has("0.11") then
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

local function encoding_of(ctx)
  local client = vim.lsp.get_client_by_id(ctx.client_id)
  return client and client.offset_encoding or "utf-16"
end

local handlers = {}

handlers["tuppence/edit"] = function(_, params, ctx)
  return { applied = stream.apply(params, encoding_of(ctx)) }
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
  redraw()
end

---Show how a run ended where nothing else does; what went wrong is said by the server itself.
local function closing(params)
  if state.read == params.run and params.line ~= "" then
    panel.append("explanation", "\n\n---\n\n" .. params.line)
  elseif params.outcome == "stopped" or (params.outcome == "kept" and not state.status_is_shown) then
    tell(params.line)
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

local function capabilities()
  local all = vim.lsp.protocol.make_client_capabilities()
  all.experimental = { tuppence = { stream = 1, status = true } }
  all.window = vim.tbl_extend("force", all.window or {}, { showDocument = { support = true } })
  return all
end

local function hand_over_keys(params)
  local keys = settings.keys()
  if type(keys) == "table" and next(keys) then
    params.initializationOptions = { keys = keys }
  end
end

local function forget()
  vim.schedule(function()
    stream.reset()
    state.runs, state.explaining, state.cost, state.last = {}, {}, nil, nil
    redraw()
  end)
end

local function configuration()
  return {
    name = NAME,
    cmd = settings.cmd,
    filetypes = settings.filetypes,
    capabilities = capabilities(),
    handlers = handlers,
    flags = { debounce_text_changes = DEBOUNCE },
    before_init = hand_over_keys,
    on_exit = forget,
  }
end

---Return the root of the project that a buffer's file belongs to.
local function root_of(buf)
  local folder = vim.fn.fnamemodify(api.nvim_buf_get_name(buf), ":p:h")
  local within = vim.fn.fnameescape(folder) .. ";"
  local git = vim.fn.finddir(".git", within)
  if git == "" then
    git = vim.fn.findfile(".git", within) -- in a work tree it is a file
  end
  return git ~= "" and vim.fn.fnamemodify(git, ":p:h" .. (vim.fn.isdirectory(git) == 1 and ":h" or "")) or vim.fn.getcwd()
end

local started = {} -- Neovim 0.7 only: root -> client id

local function attach(buf)
  if vim.bo[buf].buftype ~= "" or not vim.tbl_contains(settings.filetypes, vim.bo[buf].filetype) then
    return
  end
  local config = configuration()
  config.root_dir = root_of(buf)
  if has("0.8") then
    api.nvim_buf_call(buf, function()
      vim.lsp.start(config)
    end)
    return
  end
  local id = started[config.root_dir]
  if not (id and vim.lsp.get_client_by_id(id)) then
    id = vim.lsp.start_client(config)
    started[config.root_dir] = id
  end
  if id then
    vim.lsp.buf_attach_client(buf, id)
  end
end

local function start()
  if has("0.11") then
    local config = configuration()
    config.root_dir = function(buf, on_root)
      if not vim.deep_equal(vim.lsp.config[NAME].cmd, settings.cmd) then
        warn("another program was configured after setup(), so the server does not start.")
      elseif vim.bo[buf].buftype == "" then
        on_root(root_of(buf))
      end
    end
    vim.lsp.config(NAME, config)
    vim.lsp.enable(NAME)
    return
  end
  api.nvim_create_autocmd("FileType", {
    group = api.nvim_create_augroup(NAME, {}),
    pattern = settings.filetypes,
    callback = function(event)
      attach(event.buf)
    end,
  })
  for _, buf in ipairs(api.nvim_list_bufs()) do
    if api.nvim_buf_is_loaded(buf) then
      attach(buf)
    end
  end
end

-- The commands --------------------------------------------------------------------------------------------------------

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

---Return what other tools say about a range, as they said it.
local function diagnostics_in(buf, range)
  local found = {}
  for _, each in ipairs(vim.diagnostic.get(buf)) do
    local from_server = (each.user_data or {}).lsp
    if each.source ~= NAME and each.lnum <= range["end"].line and (each.end_lnum or each.lnum) >= range.start.line then
      local there = {
        start = { line = each.lnum, character = each.col },
        ["end"] = { line = each.end_lnum or each.lnum, character = each.end_col or each.col },
      }
      table.insert(found, {
        range = from_server and from_server.range or there,
        message = each.message,
        severity = each.severity,
        source = each.source,
        code = each.code or from_server and from_server.code,
      })
    end
  end
  return found
end

local function perform(client, buf, action, call)
  local range = range_of(buf, call, client.offset_encoding)
  execute(client, buf, "tuppence.run", {
    action = action,
    uri = vim.uri_from_bufnr(buf),
    version = vim.lsp.util.buf_versions[buf],
    range = range,
    diagnostics = diagnostics_in(buf, range),
  })
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

local function amounts(rows)
  return table.concat(vim.tbl_map(function(row)
    return ("  - %s: %s"):format(row.name, row.display)
  end, rows), "\n")
end

local function accounts(cost)
  local lines = {
    ("**Today** %s in %d requests; saved %s."):format(cost.today.display, cost.requests, cost.saved.display),
    amounts(cost.byModel),
    ("**This session** %s. **This month** %s."):format(cost.session.display, cost.month.display),
  }
  if cost.unknown > 0 then
    table.insert(lines, ("Requests without a known price, in no sum: %d."):format(cost.unknown))
  end
  if type(cost.last) == "table" then
    local last = cost.last
    local line = "**Last** %s by %s (%s): %s, %s. %s"
    table.insert(
      lines,
      line:format(last.action, last.model, last.tier, last.cost.display, last.outcome, last.reason)
    )
  end
  return table.concat(vim.tbl_filter(function(line)
    return line ~= ""
  end, lines), "\n\n")
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
  panel.show("cost", "What it cost", accounts(state.cost))
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

local ACTIONS = { "explain", "fix", "tests", "review" } -- for completion only: the server knows what there is

local function complete(start)
  local words = vim.list_extend(vim.deepcopy(ACTIONS), vim.tbl_keys(commands))
  table.sort(words)
  return vim.tbl_filter(function(word)
    return vim.startswith(word, start)
  end, words)
end

local function command(call)
  local word = call.args ~= "" and call.args or "cost"
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

-- For a person's configuration ----------------------------------------------------------------------------------------

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
    return plain(("⋯ %s %s"):format(run.title, run.line or ""))
  elseif state.last and state.last.line ~= "" then
    return plain(state.last.line)
  elseif state.cost then
    return plain(("tuppence %s today, %s saved"):format(state.cost.today.display, state.cost.saved.display))
  end
  return ""
end

---Return what :checkhealth looks at.
function M.about()
  return { ready = state.ready, settings = vim.deepcopy(settings), cost = state.cost }
end

---Report whether a call comes from a project's own configuration file.
local function is_from_project()
  for level = 3, 20 do
    local info = debug.getinfo(level, "S")
    if not info then
      return false
    end
    if PROJECT_FILES[vim.fn.fnamemodify(info.source:gsub("^@", ""), ":t")] then
      return true
    end
  end
  return false
end

---Start tuppence for the settings' file types. To be called once, from the person's own configuration.
function M.setup(options)
  if is_from_project() then
    return warn("a project's configuration file does not set it up; your own does.")
  end
  if state.ready then
    return warn("setup() was called before; the first call counts.")
  end
  for name, value in pairs(options or {}) do
    if not KINDS[name] then
      return warn(("there is no setting `%s`."):format(name))
    elseif type(value) ~= KINDS[name] then
      return warn(("`%s` is to be a %s."):format(name, KINDS[name]))
    end
    settings[name] = value
  end
  state.ready = true
  api.nvim_set_hl(0, "TuppenceRegion", { default = true, link = "CursorLine" })
  api.nvim_create_user_command("Tuppence", command, { nargs = "?", range = true, bang = true, complete = complete })
  start()
end

return M
