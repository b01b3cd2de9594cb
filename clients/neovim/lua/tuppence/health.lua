-- :checkhealth tuppence

local M = {}

local health = vim.health or require("health")
local begin = health.start or health.report_start
local ok = health.ok or health.report_ok
local info = health.info or health.report_info
local warn = health.warn or health.report_warn
local fail = health.error or health.report_error

local function program(cmd)
  if vim.fn.executable(cmd[1]) ~= 1 then
    fail(("`%s` is not a program here."):format(cmd[1]), {
      "Install it: pip install tuppence",
      'Or say where it is: require("tuppence").setup({ cmd = { "/path/to/tuppence", "serve" } })',
    })
    return
  end
  local version = vim.fn.system({ cmd[1], "--version" }):gsub("%s+$", "")
  if vim.v.shell_error == 0 then
    ok(("%s is %s"):format(version, vim.fn.exepath(cmd[1])))
  else
    fail(("`%s --version` failed: %s"):format(cmd[1], version))
  end
end

local function connection(about)
  local client = about.client
  if not client then
    warn("No server runs now.", { "Open a file of one of these types: " .. table.concat(about.settings.filetypes, ", ") })
    return
  end
  ok(("The server runs in %s, columns in %s."):format(client.config.root_dir or "no folder", client.offset_encoding))
  if about.cost then
    info(("Today: %s, saved %s."):format(about.cost.today.display, about.cost.saved.display))
  else
    warn("The server has not sent the accounts.", { "See :Tuppence log" })
  end
end

function M.check()
  begin("tuppence")
  if vim.fn.has("nvim-0.7") ~= 1 then
    fail("Neovim 0.7 or newer is needed.")
    return
  end
  ok("Neovim is new enough.")
  local about = require("tuppence").about()
  if not about.ready then
    fail("It is not set up.", { 'Put require("tuppence").setup() into your configuration.' })
    return
  end
  program(about.settings.cmd)
  connection(about)
end

return M
