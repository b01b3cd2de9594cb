-- Floating windows for reading: an explanation while it streams, the accounts, the log.
--
-- The text is shown and nothing else. The buffer gets Markdown's colours but no file type, so that neither file type
-- plugins nor other language servers see what a model wrote; there are no modelines, and no link is followed.

local M = {}

local api = vim.api

---Open panels: name -> { buf, win, title, width }.
local panels = {}

local function height(panel)
  local rows, width = 0, panel.width
  for _, line in ipairs(api.nvim_buf_get_lines(panel.buf, 0, -1, false)) do
    rows = rows + math.max(1, math.ceil(api.nvim_strwidth(line) / width))
  end
  return math.max(1, math.min(rows, vim.o.lines - vim.o.cmdheight - 4))
end

local function place(panel)
  local there = {
    relative = "editor",
    anchor = "NE",
    row = 1,
    col = vim.o.columns - 1,
    width = panel.width,
    height = height(panel),
    style = "minimal",
    border = "rounded",
  }
  if vim.fn.has("nvim-0.9") == 1 then
    there.title = " " .. panel.title .. " "
  end
  return there
end

local function new_buffer(name)
  local buf = api.nvim_create_buf(false, true)
  vim.bo[buf].bufhidden = "hide"
  vim.bo[buf].modeline = false
  vim.bo[buf].modifiable = false
  for _, key in ipairs({ "q", "<Esc>" }) do
    vim.keymap.set("n", key, function()
      M.close(name)
    end, { buffer = buf, nowait = true, desc = "tuppence: close" })
  end
  return buf
end

local function colour(buf)
  if vim.fn.has("nvim-0.10") == 1 and pcall(vim.treesitter.start, buf, "markdown") then
    return
  end
  vim.bo[buf].syntax = "markdown"
end

local function open(panel)
  panel.win = api.nvim_open_win(panel.buf, false, place(panel))
  vim.wo[panel.win].wrap = true
  vim.wo[panel.win].linebreak = true
  vim.wo[panel.win].conceallevel = 2
end

local function lines_of(text)
  return vim.split((text:gsub("[\r%z]", "")), "\n", { plain = true })
end

---Report whether a panel is on the screen.
function M.is_open(name)
  local panel = panels[name]
  return panel ~= nil and panel.win ~= nil and api.nvim_win_is_valid(panel.win)
end

local function open_or_fit(panel)
  if panel.win and api.nvim_win_is_valid(panel.win) then
    api.nvim_win_set_config(panel.win, place(panel))
  else
    open(panel)
  end
end

---Show a text under a name; a panel of that name is used again.
function M.show(name, title, text)
  local panel = panels[name]
  if not (panel and api.nvim_buf_is_valid(panel.buf)) then
    panel = { buf = new_buffer(name) }
    panels[name] = panel
    colour(panel.buf)
  end
  panel.title = title:gsub("%c", " ")
  panel.width = math.max(20, math.min(80, math.floor(vim.o.columns * 0.5)))
  vim.bo[panel.buf].modifiable = true
  api.nvim_buf_set_lines(panel.buf, 0, -1, false, lines_of(text))
  vim.bo[panel.buf].modifiable = false
  open_or_fit(panel)
end

---Add to a panel; where it was closed meanwhile the text is kept and nothing opens.
function M.append(name, text)
  local panel = panels[name]
  if not (panel and api.nvim_buf_is_valid(panel.buf)) then
    return
  end
  local row = api.nvim_buf_line_count(panel.buf) - 1
  local column = #api.nvim_buf_get_lines(panel.buf, row, row + 1, false)[1]
  vim.bo[panel.buf].modifiable = true
  api.nvim_buf_set_text(panel.buf, row, column, row, column, lines_of(text))
  vim.bo[panel.buf].modifiable = false
  if panel.win and api.nvim_win_is_valid(panel.win) then
    api.nvim_win_set_config(panel.win, place(panel))
  end
end

---Open a panel again, or put the cursor into it where it is open; return whether there is one.
function M.enter(name)
  local panel = panels[name]
  if not (panel and api.nvim_buf_is_valid(panel.buf)) then
    return false
  end
  open_or_fit(panel)
  api.nvim_set_current_win(panel.win)
  return true
end

---Close a panel; its text is kept.
function M.close(name)
  local panel = panels[name]
  if panel and panel.win and api.nvim_win_is_valid(panel.win) then
    api.nvim_win_close(panel.win, true)
  end
end

return M
