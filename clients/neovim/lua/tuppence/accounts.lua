-- The accounts that the server sent, as a panel: `:Tuppence cost`.

local panel = require("tuppence.panel")

local M = {}

local NAME = "cost"

local function amounts(rows)
  return table.concat(vim.tbl_map(function(row)
    return ("  - %s: %s"):format(row.name, row.display)
  end, rows), "\n")
end

local function written(cost)
  local lines = {
    ("**Today** %s in %d %s; saved %s."):format(
      cost.today.display,
      cost.requests,
      cost.requests == 1 and "request" or "requests",
      cost.saved.display
    ),
    amounts(cost.byModel),
    ("**This session** %s. **This month** %s."):format(cost.session.display, cost.month.display),
  }
  if cost.unknown > 0 then
    table.insert(lines, ("Requests without a known price, in no sum: %d."):format(cost.unknown))
  end
  if type(cost.budget) == "table" then
    local budget = cost.budget
    local line = "**Budget** %s of %s left %s."
    table.insert(lines, line:format(budget.left.display, budget.limit.display, budget.period))
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

---Show the accounts.
function M.show(cost)
  panel.show(NAME, "What it cost", written(cost))
end

---Show newer ones where they are being read.
function M.refresh(cost)
  if panel.is_open(NAME) then
    M.show(cost)
  end
end

return M
