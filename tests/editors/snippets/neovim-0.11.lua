vim.lsp.config("tuppence", {
  cmd = { "tuppence", "serve" },
  filetypes = { "python", "javascript", "typescript", "go", "rust", "java", "c", "cpp" },
  root_markers = { ".git" },
})
vim.lsp.enable("tuppence")
