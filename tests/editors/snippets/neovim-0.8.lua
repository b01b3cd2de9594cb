vim.api.nvim_create_autocmd("FileType", {
  pattern = { "python", "javascript", "typescript", "go", "rust", "java", "c", "cpp" },
  callback = function()
    vim.lsp.start({ name = "tuppence", cmd = { "tuppence", "serve" }, root_dir = vim.fn.getcwd() })
  end,
})
