-- tuppence in Neovim, 0.7 to 0.12.
--
--   require("tuppence").setup()
--
-- Here are the settings and the start of the server. What it says is hearing.lua's, its edits stream.lua's, what other
-- servers say is told.lua's, windows are panel.lua's, `:Tuppence` is commands.lua's. What needs knowledge of languages,
-- actions, models or money is the server's business. Settings come from the first call of setup() alone: no variable is
-- read that a project could set, and a call from a project's own configuration file is refused.

local commands = require("tuppence.commands")
local hearing = require("tuppence.hearing")
local told = require("tuppence.told")

local M = {}

local api = vim.api
local NAME = "tuppence"
local DEBOUNCE = 50 -- milliseconds after which the server hears of a change; it sends the next edit only then
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
local ready = false

local function has(version)
  return vim.fn.has("nvim-" .. version) == 1
end

local function capabilities()
  local all = vim.lsp.protocol.make_client_capabilities()
  all.experimental = { tuppence = { stream = 1, status = true, diagnostics = 1 } }
  all.window = vim.tbl_extend("force", all.window or {}, { showDocument = { support = true } })
  return all
end

---Hand the keys over in the message that is sent next, which Neovim's log does not get to see.
local function hand_over_keys(params)
  local keys = settings.keys()
  if type(keys) ~= "table" or not next(keys) then
    return
  end
  params.initializationOptions = { keys = keys }
  local log = require("vim.lsp.log")
  local level = log.get_level()
  log.set_level(math.max(level, vim.log.levels.WARN))
  vim.schedule(function()
    log.set_level(level)
  end)
end

---Return a command whose program is looked up by us: a relative entry of PATH would be one of the project's folders.
local function found(cmd)
  local program = cmd[1]
  if vim.fn.has("win32") == 1 or program:find("/", 1, true) then
    return cmd
  end
  for _, folder in ipairs(vim.split(vim.env.PATH or "", ":", { plain = true })) do
    local path = folder .. "/" .. program
    if folder:sub(1, 1) == "/" and vim.fn.executable(path) == 1 then
      return vim.list_extend({ path }, cmd, 2)
    end
  end
  return vim.list_extend({ "/" .. program }, cmd, 2) -- it is not there, and that is what Neovim says
end

local function configuration()
  return {
    name = NAME,
    cmd = found(settings.cmd),
    cmd_env = { PYTHONSAFEPATH = "1" },
    filetypes = settings.filetypes,
    capabilities = capabilities(),
    handlers = hearing.handlers,
    flags = { debounce_text_changes = DEBOUNCE },
    before_init = hand_over_keys,
    on_exit = hearing.forget,
  }
end

---Return the root of the project that a buffer's file belongs to: the nearest folder above it with a `.git` in it.
local function root_of(buf)
  local folder = vim.fn.fnamemodify(api.nvim_buf_get_name(buf), ":p:h")
  while not vim.loop.fs_stat(folder .. "/.git") do
    local above = vim.fn.fnamemodify(folder, ":h")
    if above == folder then
      return vim.fn.getcwd()
    end
    folder = above
  end
  return folder
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
      if not vim.deep_equal(vim.lsp.config[NAME].cmd, found(settings.cmd)) then
        hearing.warn("another program was configured after setup(), so the server does not start.")
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

---Return what :checkhealth looks at.
function M.about()
  return { ready = ready, client = commands.client(), settings = vim.deepcopy(settings), cost = hearing.state.cost }
end

M.status = hearing.status

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
    return hearing.warn("a project's configuration file does not set it up; your own does.")
  end
  if ready then
    return hearing.warn("setup() was called before; the first call counts.")
  end
  for name, value in pairs(options or {}) do
    if not KINDS[name] then
      return hearing.warn(("there is no setting `%s`."):format(name))
    elseif type(value) ~= KINDS[name] then
      return hearing.warn(("`%s` is to be a %s."):format(name, KINDS[name]))
    end
    settings[name] = value
  end
  ready = true
  told.listen()
  api.nvim_set_hl(0, "TuppenceRegion", { default = true, link = "CursorLine" })
  api.nvim_create_user_command("Tuppence", commands.run, {
    nargs = "*",
    range = true,
    bang = true,
    complete = commands.complete,
  })
  start()
end

return M
